/** The names that the contracts bear in Python: every object schema that crosses gets one, unions stay inline. */
import { z } from 'zod';
import { AssembleResult, Item, Manifest, Pair, Rejected } from '../../orchestrator/contracts/assembled.ts';
import { Captioner, Control, Dataset, Filters, Resize } from '../../orchestrator/contracts/dataset.ts';
import { Decision, LoggedTerms, Visit, WorkerEvent } from '../../orchestrator/contracts/events.ts';
import { Audit, Evaluate, Figures, Wandb } from '../../orchestrator/contracts/experiment.ts';
import { Job, ResolvedSchedule } from '../../orchestrator/contracts/job.ts';
import { Convergence, Method, Primary, Samples, Train, Validation } from '../../orchestrator/contracts/method.ts';
import { Adapter, Backbone, Detector } from '../../orchestrator/contracts/models.ts';
import { Fraction, Keypoint } from '../../orchestrator/contracts/primitives.ts';
import {
  AuditAtT,
  AuditResult,
  BaselineResult,
  CacheResult,
  EvaluateResult,
  FeaturesResult,
  FigureResult,
  JudgedImage,
  TrainResult,
} from '../../orchestrator/contracts/results.ts';
import { Schedule } from '../../orchestrator/contracts/schedule.ts';
import { Source } from '../../orchestrator/contracts/sources.ts';

type Named = Record<string, z.ZodType>;

const pascal = (text: string) => text.replace(/(?:^|[_-])(\w)/g, (_, letter: string) => letter.toUpperCase());

/** `MiniSource` and `FolderSource` for the options of `Source`. */
const optionsOf = (union: z.ZodDiscriminatedUnion<readonly z.ZodObject[]>, key: string, suffix: string): Named =>
  Object.fromEntries(
    union.options.map(option => {
      const literal = option.shape[key];
      if (!(literal instanceof z.ZodLiteral)) throw new Error(`${suffix}: an option without a literal ${key}`);
      return [`${pascal(String(literal.value))}${suffix}`, option];
    }),
  );

const jobParts: Named = Object.fromEntries(
  Job.options.flatMap(option => {
    const stage = option.shape.stage.value === 'figures' ? 'Figure' : pascal(option.shape.stage.value);
    return [
      [`${stage}Inputs`, option.shape.inputs],
      [`${stage}Spec`, option.shape.spec],
      [`${stage}Job`, option],
    ];
  }),
);

export const pythonContracts: Named = {
  Fraction,
  Keypoint,
  Control,
  ...optionsOf(Source, 'kind', 'Source'),
  ...optionsOf(Resize, 'kind', 'Resize'),
  Filters,
  Captioner,
  Dataset,
  Backbone,
  Adapter,
  ...optionsOf(Detector, 'kind', 'Detector'),
  ...optionsOf(Schedule, 'kind', 'Schedule'),
  ResolvedSchedule,
  MethodLatents: Method.shape.latents.unwrap(),
  Method,
  Validation,
  Samples,
  Train,
  Primary,
  Convergence,
  Evaluate,
  Audit,
  Figures,
  Wandb,
  ...jobParts,
  ...optionsOf(Item, 'kind', 'Item'),
  Rejected,
  Pair,
  SetSource: Manifest.shape.sources.element,
  SetShard: Manifest.shape.shards.element,
  AssembleResult,
  Manifest,
  LoggedTerms,
  Visit,
  ...optionsOf(WorkerEvent, 'type', 'Event'),
  Decision,
  JudgedImage,
  FigureResult,
  BaselinePair: BaselineResult.shape.pairs.element,
  BaselineResult,
  EvaluatedPair: EvaluateResult.shape.pairs.element,
  EvaluateResult,
  TrainResult,
  CacheResult,
  FeaturesResult,
  AuditAtT,
  DetectorFloor: AuditResult.shape.detector,
  AuditResult,
};

/** Where `Job` and the like are a choice, Python has a type alias of this name. */
export const pythonUnions: Record<string, z.ZodDiscriminatedUnion> = {
  Source,
  Resize,
  Detector,
  Schedule,
  Job,
  Item,
  WorkerEvent,
};
