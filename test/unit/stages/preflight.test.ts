import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { PosetwinError } from '../../../orchestrator/errors.ts';
import { isLossName, lossSpecs } from '../../../orchestrator/losses/index.ts';
import { RunFolder } from '../../../orchestrator/runs/index.ts';
import { buildSchedule } from '../../../orchestrator/schedule/index.ts';
import type { RunContext } from '../../../orchestrator/stages/context.ts';
import { hasPassed, keptMemory, preflight, preflightOnce } from '../../../orchestrator/stages/preflight.ts';
import { experiment, plan } from '../plan/experiment.ts';

type Answers = Record<string, (params: never) => unknown>;

const device = { name: 'cpu', kind: 'cpu', memory_mb: 4000 };
const estimate = {
  peaks_mb: { step: 2000 },
  frozen_mb: { float32: 500 },
  trained_mb: { float32: 10 },
  gradients_mb: 10,
  optimizer_mb: 20,
  batch_mb: 1,
  activations_mb: 1400,
  saved_mb: 1400,
  no_grad_mb: 60,
};

/** Python as it should answer: what it says of loss terms and schedules is what TypeScript says. */
const sound: Answers = {
  probe_environment: () => ({ python: '3.11', packages: { torch: '2.13' }, devices: [device] }),
  estimate_memory: () => ({ estimate, reason: '', process_mb: 400 }),
  probe_model: () => ({ num_keypoints: 18, keypoint_gradient: 0.5 }),
  schedule: () => {
    const { alphas_cumprod, log_alphas_cumprod } = buildSchedule(experiment().schedule);
    return { alphas_cumprod, log_alphas_cumprod };
  },
  evaluate_loss_term: ({ term, inputs }: { term: string; inputs: unknown }) => ({
    value: isLossName(term) ? lossSpecs[term].evaluate(inputs) : Number.NaN,
  }),
};

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'posetwin-preflight-'));
});

const contextWith = (answers: Answers): RunContext => {
  const bridge = { call: async (name: string, params: never) => ({ ...sound, ...answers })[name]?.(params) };
  const services = { bridge: async () => bridge };
  const run = new RunFolder(root, 'test', 'a');
  const store = { state: () => 'absent', memory: (name: string) => join(root, 'memory', name) };
  const interrupts = { stop: new AbortController().signal, kill: new AbortController().signal };
  return { experiment: experiment(), plan: plan(), run, store, services, interrupts, emit: () => undefined } as never;
};

const codeOf = async (answers: Answers): Promise<string | undefined> => {
  try {
    await preflight(contextWith(answers));
    return undefined;
  } catch (error) {
    return error instanceof PosetwinError ? error.code : String(error);
  }
};

describe('the checks before anything is computed from the models', () => {
  it('pass and are remembered where both languages agree', async () => {
    const context = contextWith({});
    expect(await hasPassed(context)).toBe(false);
    await preflight(context);
    expect(await hasPassed(context)).toBe(true);
  });

  it('are asked once by several runs at the same time', async () => {
    const asked = vi.fn(sound.probe_model);
    await Promise.all([1, 2, 3].map(() => preflightOnce(contextWith({ probe_model: asked }))));
    expect(asked).toHaveBeenCalledOnce();
  });

  it('are not asked again by another run that differs in what they do not look at', async () => {
    await preflight(contextWith({}));
    const silent = { ...contextWith({}), services: { bridge: () => Promise.reject(new Error('asked')) } };
    const another = (changes: object): RunContext => {
      const changed = { ...experiment(), train: { ...experiment().train, ...changes } };
      return { ...silent, experiment: changed, plan: plan(changed), run: new RunFolder(root, 'test', 'b') } as never;
    };
    expect(await hasPassed(another({ global_batch_size: 4 }))).toBe(false);
    const faster = another({ learning_rate: 0.5, max_train_steps: 7 });
    expect(await hasPassed(faster)).toBe(true);
    expect(await keptMemory(faster)).toMatchObject([{ stage: 'train', needed_mb: 2400 }]);
    expect(await hasPassed(faster)).toBe(true);
  });

  it('refuse settings whose package is not there (missing_package)', async () => {
    const asked = { ...experiment(), wandb: { project: 'p', entity: null, mode: 'offline' as const } };
    const context = { ...contextWith({}), experiment: asked } as RunContext;
    await expect(preflight(context)).rejects.toMatchObject({ code: 'missing_package', details: { path: 'wandb' } });
    const packages = { torch: '2.13', wandb: '0.31' };
    const has = contextWith({ probe_environment: () => ({ python: '3.11', packages, devices: [] }) });
    await expect(preflight({ ...has, experiment: asked } as RunContext)).resolves.toBeUndefined();
  });

  it('remember the memory that training needs, for the plan and the report', async () => {
    const context = contextWith({});
    await preflight(context);
    const kept = await keptMemory(context);
    expect(kept).toMatchObject([{ stage: 'train', needed_mb: 2400, device, reason: '' }]);
    expect(await keptMemory({ ...context, plan: plan({ seed: 5 }) })).toEqual([]);
  });

  it('refuse what does not fit before any model is loaded, and remember why (out_of_memory)', async () => {
    let loaded = false;
    const probe_model = () => {
      loaded = true;
    };
    const large = { ...estimate, peaks_mb: { step: 3700 } };
    const estimate_memory = () => ({ estimate: large, reason: '', process_mb: 400 });
    expect(await codeOf({ estimate_memory, probe_model })).toBe('out_of_memory');
    expect(loaded).toBe(false);
    expect(await keptMemory(contextWith({}))).toMatchObject([{ needed_mb: 4100 }]);
    expect(await hasPassed(contextWith({}))).toBe(false);
  });

  it('refuse a detector with another number of keypoints than the set (bad_keypoints)', async () => {
    expect(await codeOf({ probe_model: () => ({ num_keypoints: 17, keypoint_gradient: 1 }) })).toBe('bad_keypoints');
  });

  it('refuse a detector that passes no gradient to the image (dead_gradient)', async () => {
    expect(await codeOf({ probe_model: () => ({ num_keypoints: 18, keypoint_gradient: 0 }) })).toBe('dead_gradient');
  });

  it('refuse a schedule on which the two languages disagree by 1e-11 (contract_violation)', async () => {
    const shifted = () => {
      const { alphas_cumprod } = buildSchedule(experiment().schedule);
      return { alphas_cumprod: alphas_cumprod.with(7, (alphas_cumprod[7] ?? 0) * (1 + 1e-11)), log_alphas_cumprod: [] };
    };
    expect(await codeOf({ schedule: shifted })).toBe('contract_violation');
  });

  it('refuse a loss term on which the two languages disagree (loss_mismatch)', async () => {
    const off = ({ term }: { term: string }) => ({ value: term === 'total' ? 0.5 : 0 });
    expect(await codeOf({ evaluate_loss_term: off })).toBe('loss_mismatch');
  });
});
