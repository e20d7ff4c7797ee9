import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MemoryEstimate } from '../../../orchestrator/contracts/facade.ts';
import { Train } from '../../../orchestrator/contracts/method.ts';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import type { RunContext } from '../../../orchestrator/stages/context.ts';
import { estimateMemory, memoryWarnings, partOf, refuseWhatCannotFit } from '../../../orchestrator/stages/memory.ts';
import { findRemedies, largestBatch, type Misfit } from '../../../orchestrator/stages/memory-remedies.ts';
import type { PythonBridge } from '../../../orchestrator/stages/services.ts';
import { experiment, plan } from '../plan/experiment.ts';

interface Question {
  batch_size: number;
  train: Train;
}

/** 1000 MiB of models and 100 for each sample at once, a third of it with checkpointing, all halved in bf16. */
const peak = ({ batch_size, train }: Question): number => {
  const each = train.gradient_checkpointing ? 100 / 3 : 100;
  return (1000 + each * batch_size) / (train.mixed_precision === 'bf16' ? 2 : 1);
};

const estimateOf = (question: Question): MemoryEstimate => ({
  peaks_mb: { self_test: 100, step: peak(question) },
  frozen_mb: { float32: 900, int64: 0 },
  trained_mb: { float32: 10 },
  gradients_mb: 10,
  optimizer_mb: 20,
  batch_mb: 1,
  activations_mb: 50,
  saved_mb: 50,
  no_grad_mb: 5,
});

const answering = (answer: (question: Question) => unknown): PythonBridge =>
  ({ call: async (_: string, question: Question) => answer(question) }) as never;
const python = answering(question => ({ estimate: estimateOf(question), reason: '', process_mb: 300 }));

const machine = (memory_mb: number, kind: 'cpu' | 'cuda' = 'cpu') => ({
  python: '3.11',
  packages: {},
  devices: [{ name: 'the device', kind, memory_mb }],
});

const contextOf = (input: Parameters<typeof experiment>[0] = {}): RunContext =>
  ({
    experiment: experiment(input),
    plan: plan(input),
    store: { state: () => 'absent' },
    emit: () => undefined,
  }) as never;

const refusalOf = async (context: RunContext, environment: ReturnType<typeof machine>): Promise<PosetwinError> => {
  const checks = await estimateMemory(python, context, environment);
  const error = await refuseWhatCannotFit(python, context, checks).catch((thrown: unknown) => thrown);
  if (error instanceof PosetwinError) return error;
  throw new Error('it was not refused');
};

describe('the memory that training needs', () => {
  it('is that of one rank on a GPU, and of all ranks with their processes on a CPU', async () => {
    const context = contextOf({ train: { global_batch_size: 8, nproc_per_node: 2 } });
    const neededOn = async (kind: 'cpu' | 'cuda') =>
      (await estimateMemory(python, context, machine(9999, kind))).map(({ needed_mb }) => needed_mb);
    expect(await neededOn('cuda')).toEqual([1400]);
    expect(await neededOn('cpu')).toEqual([2 * (1400 + 300)]);
  });

  it('is asked about for the samples of one part of a rank', () => {
    const train = { global_batch_size: 24, nproc_per_node: 2, gradient_accumulation_steps: 3 };
    expect(partOf(Train.parse(train))).toBe(4);
    expect(partOf(Train.parse({ ...train, nnodes: 2 }))).toBe(2);
  });

  it('is asked about for the primary where one is trained, and not for what is done', async () => {
    const context = contextOf({ primary: {} });
    const stages = async (changed: RunContext) =>
      (await estimateMemory(python, changed, machine(9999))).map(({ stage }) => stage);
    expect(await stages(context)).toEqual(['primary', 'train']);
    const store = { state: ({ name }: { name: string }) => (name === 'primary' ? 'done' : 'absent') };
    expect(await stages({ ...context, store: store as never })).toEqual(['train']);
  });

  it('gives no warning below 85 % of the device, one above, and none where it is refused (memory_tight)', async () => {
    const codes = async (memory_mb: number) =>
      memoryWarnings(await estimateMemory(python, contextOf(), machine(memory_mb))).map(({ code }) => code);
    // Eight samples need 1800 MiB and 300 for the process.
    expect([await codes(2480), await codes(2460), await codes(2099)]).toEqual([[], ['memory_tight'], []]);
  });

  it('is told as unknown with the reason where no estimate is possible, and refuses nothing (memory_unknown)', async () => {
    const bridge = answering(() => ({ estimate: null, reason: 'ValueError: no', process_mb: 300 }));
    const checks = await estimateMemory(bridge, contextOf(), machine(1));
    expect(checks).toMatchObject([{ needed_mb: null, reason: 'ValueError: no' }]);
    expect(memoryWarnings(checks)).toEqual([
      { code: 'memory_unknown', message: 'no estimate for train: ValueError: no' },
    ]);
    await refuseWhatCannotFit(bridge, contextOf(), checks);
  });

  it('is compared with nothing where the device or its memory is unknown, and says so', async () => {
    const reasons = async (context: RunContext, memory_mb: number) =>
      (await estimateMemory(python, context, machine(memory_mb))).map(({ reason }) => reason);
    expect(await reasons(contextOf({ device: 'cuda' }), 1)).toEqual(['this machine has no such device']);
    expect(await reasons(contextOf(), 0)).toEqual(['the memory of the device is unknown']);
  });
});

describe('a training that does not fit (out_of_memory)', () => {
  it('is refused at its batch size with settings that would fit', async () => {
    const error = await refusalOf(contextOf(), machine(1750));
    expect([error.code, error.class, error.details.path]).toEqual([
      'out_of_memory',
      'out_of_memory',
      'train.global_batch_size',
    ]);
    // 1750 MiB less the process leave 450 for samples: four of them, in two parts or as a smaller batch.
    expect(error.hint).toBe(
      'any of these would fit: train.gradient_accumulation_steps=2; train.gradient_checkpointing=true; ' +
        'train.mixed_precision=bf16; train.global_batch_size=4',
    );
  });

  it('is offered more ranks where each has a device of its own', async () => {
    const error = await refusalOf(contextOf(), machine(1250, 'cuda'));
    expect(error.hint).toContain('train.nproc_per_node=4;');
  });

  it('is offered fewer ranks where they share the memory', async () => {
    const context = contextOf({ train: { global_batch_size: 4, nproc_per_node: 2 } });
    const error = await refusalOf(context, machine(2000));
    expect(error.hint).toContain('train.nproc_per_node=1 with train.gradient_accumulation_steps=2');
  });

  it('is named by its own path where it is the primary', async () => {
    const input = { primary: { train: { global_batch_size: 64 } }, train: { global_batch_size: 1 } };
    expect((await refusalOf(contextOf(input), machine(2000))).details.path).toBe('primary.train.global_batch_size');
  });

  it('is told what the models alone hold where no setting would do', async () => {
    const error = await refusalOf(contextOf(), machine(500));
    expect(error.hint).toContain('the frozen models alone hold 0.9 GB');
  });
});

describe('the settings that are offered', () => {
  const settings = Train.parse({ global_batch_size: 48, nproc_per_node: 2 });
  const misfit = (flat: number, each: number, memory_mb: number): Misfit => {
    const need = async (train: Train, batch_size: number) =>
      Math.max(flat, peak({ batch_size, train }) + each * batch_size);
    return {
      section: 'train',
      settings,
      needed_mb: Math.max(flat, 3400 + 24 * each),
      device: { kind: 'cuda', memory_mb },
      need,
    };
  };
  const cases = fc.record({
    flat: fc.integer({ min: 0, max: 2000 }),
    each: fc.integer({ min: 0, max: 300 }),
    memory_mb: fc.integer({ min: 500, max: 3300 }),
  });

  it('name the largest batch of a rank that fits', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ flat, each, memory_mb }) => {
        const given = misfit(flat, each, memory_mb);
        const largest = await largestBatch(given);
        if (largest > 0) expect(await given.need(settings, largest)).toBeLessThanOrEqual(memory_mb);
        expect(await given.need(settings, largest + 1)).toBeGreaterThan(memory_mb);
      }),
    );
  });

  it('all fit, and keep the batch a multiple of ranks and parts', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ flat, each, memory_mb }) => {
        const given = misfit(flat, each, memory_mb);
        for (const remedy of await findRemedies(given)) {
          const pairs = remedy.split(' with ').map(part => part.replace('train.', '').split('='));
          const changes = Object.fromEntries(
            pairs.map(([key, value]) => [key, JSON.parse(value === 'bf16' ? '"bf16"' : `${value}`)]),
          );
          const changed = Train.parse({ ...settings, ...changes });
          const { global_batch_size, nproc_per_node, gradient_accumulation_steps } = changed;
          expect(global_batch_size % (nproc_per_node * gradient_accumulation_steps)).toBe(0);
          expect(await given.need(changed, partOf(changed))).toBeLessThanOrEqual(memory_mb);
        }
      }),
    );
  });
});
