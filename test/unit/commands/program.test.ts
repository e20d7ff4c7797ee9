import { CommanderError } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { describeError, exitCodeOf } from '../../../orchestrator/commands/exit-codes.ts';
import { makeProgram } from '../../../orchestrator/commands/program.ts';
import { PosetwinError } from '../../../orchestrator/errors.ts';

const commandLine = (...args: string[]) => makeProgram(() => undefined).parseAsync(args, { from: 'user' });

describe('the command line', () => {
  it('refuses wrong usage before anything runs', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    for (const args of [['run'], ['sample', '--prompt', 'x'], ['ls', '--nonsense'], ['sample', '--seed', '-1']]) {
      const error = await commandLine(...args).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(CommanderError);
      expect(error).not.toHaveProperty('exitCode', 0);
    }
    write.mockRestore();
  });

  it('has help with examples for every verb', () => {
    for (const command of makeProgram(() => undefined).commands) {
      let text = '';
      command.configureOutput({
        writeOut: part => {
          text += part;
        },
      });
      command.outputHelp();
      expect(text).toContain('Examples:\n  posetwin ');
      expect(command.description()).not.toBe('');
    }
  });
});

describe('errors', () => {
  it('give 2 for what the user wrote, 130 for Ctrl-C and 3 for the rest', () => {
    const codes = ['singular_schedule', 'cancelled', 'worker_died', 'bug'] as const;
    expect(codes.map(code => exitCodeOf(new PosetwinError(code, '')))).toEqual([2, 130, 3, 3]);
  });

  it('are told with code, place, traceback, hint and log', () => {
    const details = { file: 'a.yaml', line: 3, column: 7, hint: 'do this', log: 'x.log', traceback: 'File "a.py"\n' };
    expect(describeError(new PosetwinError('worker_failed', 'it failed', details))).toBe(
      'worker_failed it failed\n  at a.yaml:3:7\n  | File "a.py"\n  hint: do this\n  log: x.log',
    );
  });
});
