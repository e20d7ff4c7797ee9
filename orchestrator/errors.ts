/** The classes of failure that a person or a script can act on; every code belongs to exactly one. */
export type ErrorClass =
  | 'config'
  | 'data'
  | 'environment'
  | 'out_of_memory'
  | 'diverged'
  | 'preempted'
  | 'worker_died'
  | 'timeout'
  | 'bridge'
  | 'cancelled'
  | 'bug';

/** The closed list of error codes, each with its class. Python uses the same codes in its `error` events. */
export const errorClasses = {
  // config: the experiment file or the command line
  yaml_syntax: 'config',
  duplicate_key: 'config',
  unknown_key: 'config',
  missing_key: 'config',
  wrong_type: 'config',
  not_a_number: 'config',
  out_of_range: 'config',
  unknown_value: 'config',
  missing_file: 'config',
  include_cycle: 'config',
  unknown_config: 'config',
  refused_combination: 'config',
  singular_schedule: 'config',
  usage: 'config',
  // data: what the sources hold
  no_person: 'data',
  no_visible_keypoint: 'data',
  bad_image: 'data',
  bad_keypoints: 'data',
  bad_annotations: 'data',
  several_people: 'data',
  too_few_keypoints: 'data',
  person_too_small: 'data',
  duplicate: 'data',
  source_changed: 'data',
  bad_name: 'data',
  unsafe_path: 'data',
  too_few_samples: 'data',
  too_many_rejected: 'data',
  set_not_closed: 'data',
  corrupt_file: 'data',
  // environment: this machine
  no_python: 'environment',
  no_venv: 'environment',
  install_failed: 'environment',
  no_network: 'environment',
  disk_full: 'environment',
  no_device: 'environment',
  missing_weights: 'environment',
  wrong_weights: 'environment',
  missing_package: 'environment',
  tracker_failed: 'environment',
  setup_locked: 'environment',
  store_locked: 'environment',
  sweep_locked: 'environment',
  no_slurm: 'environment',
  slurm_unreachable: 'environment',
  slurm_refused: 'environment',
  too_few_nodes: 'environment',
  // what happens while running
  out_of_memory: 'out_of_memory',
  diverged: 'diverged',
  dead_gradient: 'diverged',
  preempted: 'preempted',
  worker_died: 'worker_died',
  worker_failed: 'worker_died',
  timeout: 'timeout',
  bridge_died: 'bridge',
  bridge_timeout: 'bridge',
  bridge_contract: 'bridge',
  python_error: 'bridge',
  loss_mismatch: 'bug',
  contract_violation: 'bug',
  cancelled: 'cancelled',
  cut_short: 'cancelled',
  bug: 'bug',
} as const satisfies Record<string, ErrorClass>;

export type ErrorCode = keyof typeof errorClasses;

/** Where an error was found: in a file (1-based line and column) or at a path of the experiment. */
export interface ErrorPlace {
  file?: string;
  line?: number;
  column?: number;
  path?: string;
}

export interface ErrorDetails extends ErrorPlace {
  hint?: string;
  cause?: unknown;
  /** the root-cause traceback of a failing Python process */
  traceback?: string;
  /** the log file that holds the rest */
  log?: string;
}

/** The only error class that this project throws on purpose: a code and a place first, text second. */
export class PosetwinError extends Error {
  override name = 'PosetwinError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.details = details;
  }

  get class(): ErrorClass {
    return errorClasses[this.code];
  }

  get hint(): string | undefined {
    return this.details.hint;
  }
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorClasses, code);

/** `value` if it is one of ours, else a `bug` that keeps it as its cause. */
export const toPosetwinError = (value: unknown): PosetwinError =>
  value instanceof PosetwinError
    ? value
    : new PosetwinError('bug', value instanceof Error ? value.message : String(value), { cause: value });
