import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onInterrupt } from '../../../orchestrator/processes/signals.ts';

describe('onInterrupt', () => {
  it('stops at the first interrupt, kills at every later one, and listens no more when disposed', () => {
    const source = new EventEmitter();
    const calls: string[] = [];
    const dispose = onInterrupt({ stop: s => calls.push(`stop ${s}`), kill: s => calls.push(`kill ${s}`) }, source);
    source.emit('SIGINT', 'SIGINT');
    source.emit('SIGTERM', 'SIGTERM');
    source.emit('SIGINT', 'SIGINT');
    dispose();
    source.emit('SIGINT', 'SIGINT');
    expect(calls).toEqual(['stop SIGINT', 'kill SIGTERM', 'kill SIGINT']);
    expect(source.eventNames()).toEqual([]);
  });
});
