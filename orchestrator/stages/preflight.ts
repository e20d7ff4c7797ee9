import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Experiment } from '../contracts/experiment.ts';
import { facadeContract } from '../contracts/facade.ts';
import type { Train } from '../contracts/method.ts';
import { PosetwinError } from '../errors.ts';
import { isLossName, lossSpecs } from '../losses/index.ts';
import { probeInputs } from '../losses/probe.ts';
import { contentHash } from '../plan/canonical.ts';
import { withLock } from '../processes/lock.ts';
import { codeDigest, type RunFolder, readJsonIfThere, writeJson } from '../runs/index.ts';
import type { RunContext } from './context.ts';
import { describeMemory, estimateMemory, MemoryCheck, refuseWhatCannotFit } from './memory.ts';
import type { PythonBridge } from './services.ts';

const Kept = z.looseObject({
  passed: z.string().describe('Hash of what was asked.'),
  environment: facadeContract.probe_environment.result,
  memory: z.array(MemoryCheck),
});

export type FoundEnvironment = z.output<typeof Kept>['environment'];

/** Python, packages and devices, as the run's preflight found them; undefined where none was needed. */
export const foundEnvironment = async (run: RunFolder): Promise<FoundEnvironment | undefined> =>
  (await readJsonIfThere(run.file('preflight.json'), Kept).catch(() => undefined))?.environment;

/** Python's and its packages' versions, as the run's preflight found them; empty where none was needed. */
export const packageVersions = async (run: RunFolder): Promise<Record<string, string>> => {
  const environment = await foundEnvironment(run);
  return environment === undefined ? {} : { python: environment.python, ...environment.packages };
};

/** What a run's preflight found out about memory, if it was for this plan and got so far; a refused one did. */
export const keptMemory = async ({ run, plan }: Pick<RunContext, 'run' | 'plan'>): Promise<MemoryCheck[]> => {
  const Estimated = z.object({ memory_of: z.literal(plan.stages.train.key), memory: z.array(MemoryCheck) });
  const kept = await readJsonIfThere(run.file('preflight.json'), Estimated).catch(() => undefined);
  return kept?.memory ?? [];
};

/** Of the layout OpenPose-18, in which the set is kept. */
const KEYPOINTS = 18;

/** Both languages compute in float64: what differs more is a mistake in one of them. */
const scheduleTolerance = 1e-12;
const lossTolerance = 1e-9;

/** Settings that ask for a package that not everyone has: path of the experiment → package. */
const askedPackages = ({ train, primary, wandb }: Experiment): Record<string, string> => ({
  ...(train.use_8bit_adam && { 'train.use_8bit_adam': 'bitsandbytes' }),
  ...(primary?.train.use_8bit_adam && { 'primary.train.use_8bit_adam': 'bitsandbytes' }),
  ...(wandb !== null && { wandb: 'wandb' }),
});

const checkPackages = (experiment: Experiment, packages: Record<string, string>): void => {
  for (const [path, name] of Object.entries(askedPackages(experiment))) {
    if (packages[name] !== undefined) continue;
    throw new PosetwinError('missing_package', `\`${path}\` needs the Python package ${name}`, {
      path,
      hint: `pip install ${name}, or leave \`${path}\` out`,
    });
  }
};

const probeModel = async (bridge: PythonBridge, { experiment }: RunContext) => {
  const { backbone, adapter, detector, dataset } = experiment;
  const model = await bridge.call('probe_model', { backbone, adapter, detector, image_size: dataset.image_size });
  if (model.num_keypoints !== KEYPOINTS)
    throw new PosetwinError(
      'bad_keypoints',
      `the detector '${detector.kind}' finds ${model.num_keypoints} keypoints, the set has ${KEYPOINTS}`,
      { path: 'detector', hint: 'choose a detector in the layout OpenPose-18' },
    );
  if (model.keypoint_gradient > 0) return model;
  throw new PosetwinError('dead_gradient', `the detector '${detector.kind}' passes no gradient to the image`, {
    path: 'detector',
    hint: 'the pose terms would train nothing: choose another detector',
  });
};

const checkSchedule = async (bridge: PythonBridge, { experiment, plan }: RunContext): Promise<void> => {
  const mine = plan.stages.train.spec.schedule.alphas_cumprod;
  const { alphas_cumprod } = await bridge.call('schedule', { config: experiment.schedule });
  const differs = (value: number, index: number) =>
    !(Math.abs(value - (alphas_cumprod[index] ?? Number.NaN)) <= scheduleTolerance * Math.abs(value));
  const wrong = mine.length === alphas_cumprod.length ? mine.findIndex(differs) : 0;
  if (wrong === -1) return;
  throw new PosetwinError(
    'contract_violation',
    `alphas_cumprod at t = ${wrong + 1} is ${mine[wrong]} in TypeScript and ${alphas_cumprod[wrong]} in Python`,
    { path: 'schedule', hint: 'one of the two schedule rooms is wrong: please report it' },
  );
};

/** The probes with the readings of this run where a term has some. */
const probesOf = (method: Experiment['method']): typeof probeInputs => ({
  ...probeInputs,
  pose_residual: { ...probeInputs.pose_residual, reading: method.pose_residual },
  sampler_step: { ...probeInputs.sampler_step, reading: method.sampler },
  one_step_image: { ...probeInputs.one_step_image, reading: method.one_step },
  primary_noise: { ...probeInputs.primary_noise, reading: method.primary_weight },
  q: { ...probeInputs.q, reading: method.q },
  total: { ...probeInputs.total, reading: method.total },
});

const checkLossTerms = async (bridge: PythonBridge, { experiment }: RunContext): Promise<Record<string, number>> => {
  const values: Record<string, number> = {};
  const probes = probesOf(experiment.method);
  for (const [term, spec] of Object.entries(lossSpecs)) {
    const inputs = isLossName(term) ? probes[term] : {};
    const mine = spec.evaluate(inputs);
    const { value } = await bridge.call('evaluate_loss_term', { term, inputs });
    if (!(Math.abs(mine - value) <= lossTolerance)) throw mismatch(term, mine, value);
    values[term] = mine;
  }
  return values;
};

const mismatch = (term: string, mine: number, theirs: number): PosetwinError =>
  new PosetwinError('loss_mismatch', `${term} is ${mine} in TypeScript and ${theirs} in Python`, {
    hint: 'one of the two losses rooms is wrong: please report it',
  });

/** Options of a training that no check looks at. */
const unchecked = [
  'max_train_steps',
  'learning_rate',
  'lr_scheduler',
  'lr_warmup_steps',
  'lr_num_cycles',
  'lr_power',
  'adam_beta1',
  'adam_beta2',
  'adam_weight_decay',
  'adam_epsilon',
  'max_grad_norm',
  'validation',
  'samples',
  'load_best_model_at_end',
  'metric_for_best_model',
  'checkpointing_steps',
  'checkpoints_total_limit',
] as const satisfies (keyof Train)[];

const checkedOptions = (train: Train): object =>
  Object.fromEntries(Object.entries(train).filter(([key]) => !(unchecked as readonly string[]).includes(key)));

/** Hash of all that the checks depend on: where it is equal, so is what they find. */
const questionOf = async ({ experiment, plan }: RunContext): Promise<string> => {
  const { spec, inputs } = plan.stages.train;
  const { backbone, adapter, detector } = inputs;
  return contentHash({
    models: [spec.backbone, spec.adapter, spec.detector, { backbone, adapter, detector }],
    image_size: experiment.dataset.image_size,
    schedules: [experiment.schedule, spec.schedule, plan.stages.primary?.spec.schedule ?? null],
    methods: [spec.method, plan.stages.primary?.spec.method ?? null],
    trainings: [spec.train, ...(experiment.primary === null ? [] : [experiment.primary.train])].map(checkedOptions),
    packages: askedPackages(experiment),
    machine: [experiment.device, hostname(), process.env.POSETWIN_PYTHON ?? ''],
    code_digest: await codeDigest(),
  });
};

const passedFile = (store: RunContext['store'], question: string): string =>
  store.memory(join('preflights', `${question}.json`));

/**
 * Whether this question was answered before: by this run, which goes on after an interruption, or by another one, say
 * with another rate. What was found then is this run's finding too.
 */
export const hasPassed = async (context: RunContext): Promise<boolean> => {
  const { run, store, plan } = context;
  const question = await questionOf(context);
  const readKept = (file: string) => readJsonIfThere(file, Kept).catch(() => undefined);
  if ((await readKept(run.file('preflight.json')))?.passed === question) return true;
  const before = await readKept(passedFile(store, question));
  if (before?.passed !== question) return false;
  await writeJson(run.file('preflight.json'), { ...before, memory_of: plan.stages.train.key });
  return true;
};

/**
 * Before anything is computed from the models, or they are even loaded: that training fits into the memory. Then their
 * shapes, that the detector's gradient lives, and that TypeScript and Python agree on the schedule and on every loss
 * term. All of it is kept in preflight.json. Raises `out_of_memory`, `bad_keypoints`, `dead_gradient`,
 * `contract_violation`, `loss_mismatch` and the codes of the bridge.
 */
export const preflight = async (context: RunContext): Promise<void> => {
  const bridge = await context.services.bridge();
  const environment = await bridge.call('probe_environment', {});
  checkPackages(context.experiment, environment.packages);
  const memory = await estimateMemory(bridge, context, environment);
  const found = { environment, memory_of: context.plan.stages.train.key, memory };
  await writeJson(context.run.file('preflight.json'), found);
  await refuseWhatCannotFit(bridge, context, memory);
  for (const check of memory) context.emit({ type: 'note', message: `memory: ${describeMemory(check)}` });
  const model = await probeModel(bridge, context);
  await checkSchedule(bridge, context);
  const loss_terms = await checkLossTerms(bridge, context);
  const passed = await questionOf(context);
  for (const file of [context.run.file('preflight.json'), passedFile(context.store, passed)])
    await writeJson(file, { passed, ...found, model, loss_terms });
};

/** The same, once for all that ask at the same time: of trials side by side one finds out, and the others wait for it. */
export const preflightOnce = async (context: RunContext): Promise<void> => {
  const file = passedFile(context.store, await questionOf(context));
  await mkdir(dirname(file), { recursive: true });
  const waiting = { wait_ms: Number.POSITIVE_INFINITY, signal: context.interrupts.stop };
  await withLock(`${file}.lock`, { code: 'store_locked', ...waiting }, async () => {
    if (!(await hasPassed(context))) await preflight(context);
  });
};
