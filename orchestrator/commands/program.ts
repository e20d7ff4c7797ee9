import { Command, InvalidArgumentError, Option } from 'commander';
import { stageNames } from '../plan/versions.ts';

const collect = (value: string, before: string[]): string[] => [...before, value];

const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least && value < 2 ** 32) return value;
    throw new InvalidArgumentError(`a whole number from ${least} on is needed`);
  };

const wholeNumbers = (text: string): number[] => text.split(',').map(wholeNumber(1));

const examples = (...lines: string[]): string => `\nExamples:\n${lines.map(line => `  posetwin ${line}`).join('\n')}\n`;

const withSet = (command: Command): Command =>
  command.option('--set <path=value>', 'change one value of the experiment; may be repeated', collect, []);
const withSweep = (command: Command): Command =>
  withSet(command).option('--sweep <path=a,b,…>', 'an axis of a sweep; may be repeated', collect, []);
const withJson = (command: Command, what = 'JSON on standard output'): Command => command.option('--json', what, false);

// Each verb is imported when it is called: `validate` need not wait for what draws the report.
type Done = (exitCode: number) => void;

const addRun = (program: Command, done: Done): void => {
  withJson(withSweep(program.command('run', { isDefault: true })), 'events as JSON lines on standard output')
    .argument('<experiment>', 'YAML file')
    .description(
      'assemble, train, evaluate, decide, draw, report; with `sweep` every trial. The same command again continues',
    )
    .option('--dry-run', 'show every stage, cached or to do and why, and the commands', false)
    .option('--print-config', 'print the resolved experiment and where each value comes from', false)
    .option('--fresh', 'start over beside what is there', false)
    .option('--smoke', 'two steps and a batch of pairs: does it all work, and what will it cost?', false)
    .option('--require-converged', 'exit with 4 when the loss has not converged', false)
    .addOption(
      new Option('--until <stage>', 'the last stage; the same command without it goes on').choices(
        stageNames.slice(0, -1),
      ),
    )
    .option('--trial <id>', 'one trial of a sweep, as it was frozen')
    .option('--early-stopping', 'with --trial: the rule of its sweep may cut it, as where the sweep starts it', false)
    .option('--fail-fast', 'stop a sweep at the first trial that fails', false)
    .option('--max-failures <number>', 'stop a sweep when so many trials have failed', wholeNumber(1))
    .option('--only-failed', 'of a sweep only the trials that have failed', false)
    .option('--local', 'trials on this machine, although the experiment has `slurm`', false)
    .addHelpText(
      'after',
      examples(
        'experiments/quickstart.yaml',
        'run my.yaml --set train.learning_rate=3e-5 --set seed=1',
        'run my.yaml --dry-run',
        'run my.yaml --smoke',
        'run my.yaml --until assemble',
        'run my.yaml --sweep schedule=linear,patent-beta --sweep seed=1,2,3',
        'run my.yaml --only-failed --max-failures 3',
        'run my.yaml --sweep seed=1,2,3 --set slurm.partition=gpu --set sweep.slots=3',
      ),
    )
    .action(async (file, options) => done(await (await import('./run.ts')).runExperiment(file, options)));
};

const part = (text: string): string => {
  const [index, count] = text.split('/').map(Number);
  if (/^\d+\/\d+$/.test(text) && Number(index) < Number(count)) return text;
  throw new InvalidArgumentError('a part is 0/8 to 7/8, for example');
};

const addAssemble = (program: Command, done: Done): void => {
  withSet(program.command('assemble'))
    .argument('<experiment>', 'YAML file')
    .requiredOption('--part <k/n>', 'which share of the chunks, counted from 0', part)
    .description('a share of the assembled set, so that several machines on one file system make it side by side')
    .addHelpText(
      'after',
      examples(
        'assemble my.yaml --part 0/4',
        'run my.yaml --until assemble    # makes what is missing, pairs, and ends the set',
      ),
    )
    .action(async (file, options) => done(await (await import('./assemble.ts')).assembleSome(file, options)));
};

const addReplay = (program: Command, done: Done): void => {
  withJson(program.command('replay'), 'events as JSON lines on standard output, the comparison last')
    .argument('<run>', 'name/id, id, folder, or a name for its last run that is done; a trial by its id')
    .description('run the experiment of an earlier run again from nothing, and compare the two')
    .addHelpText('after', examples('replay quickstart', 'replay my-sweep/1a2b3c4d --json'))
    .action(async (run, options) => done(await (await import('./replay.ts')).replay(run, options)));
};

const addChecks = (program: Command, done: Done): void => {
  withJson(withSweep(program.command('validate')))
    .argument('<experiment...>', 'YAML files')
    .description('check experiments; every error at its line and column')
    .addHelpText('after', examples('validate experiments/*.yaml', 'validate my.yaml --sweep seed=1,2,3'))
    .action(async (files, options) => done(await (await import('./validate.ts')).validate(files, options)));
  withJson(withSweep(program.command('plan')))
    .argument('<experiment>', 'YAML file')
    .description('the stages of an experiment: cached or to do and why, and the commands')
    .option('--fresh', 'as if nothing were there', false)
    .addHelpText(
      'after',
      examples('plan my.yaml', 'plan my.yaml --set seed=1 --json', 'plan my.yaml --sweep seed=1,2,3'),
    )
    .action(async (file, options) => done(await (await import('./plan.ts')).showPlan(file, options)));
  withJson(withSet(program.command('memory')))
    .argument('<experiment>', 'YAML file')
    .description('what each rank of the training needs, by batch size; from the config.json of the models alone')
    .option('--batch-sizes <list>', 'samples at once on a rank', wholeNumbers, [1, 2, 4, 8])
    .option('--flops', 'also the floating-point operations of a step', false)
    .addHelpText(
      'after',
      examples(
        'memory my.yaml',
        'memory my.yaml --batch-sizes 1,16 --set train.gradient_checkpointing=true',
        'memory my.yaml --flops --json',
      ),
    )
    .action(async (file, options) => done(await (await import('./memory.ts')).showMemory(file, options)));
  withJson(program.command('doctor'))
    .description('what this machine has and lacks: Python, torch, devices, bridge, disk, weights')
    .option('--datasets', 'instead: how to get MPII, COCO and others, with licences and the line for `sources`', false)
    .addHelpText('after', examples('doctor', 'doctor --json', 'doctor --datasets'))
    .action(async options => done(await (await import('./doctor.ts')).doctor(options)));
};

const addTheory = (program: Command, done: Done): void => {
  withJson(withSet(program.command('schedule')), 'every number in full, as one JSON object')
    .argument('[file]', 'an experiment, or a schedule alone as in configs/schedules/; the default when left out')
    .description('alphas, w(t), Q under every reading, singular steps, what the U-Net is given; no Python')
    .addHelpText(
      'after',
      examples(
        'schedule my.yaml',
        'schedule configs/schedules/patent-beta.yaml --set schedule.num_steps=12',
        'schedule --set schedule=patent-literal --set schedule.singular=clamp --json',
      ),
    )
    .action(async (file, options) => done(await (await import('./schedule.ts')).showSchedule(file, options)));
  withJson(program.command('loss'))
    .argument('[term]', 'the name of a loss term')
    .description('a loss term on your numbers, in TypeScript and in Python, and whether the two agree')
    .option('--inputs <file>', 'JSON with the inputs of the term by their names; - reads standard input')
    .option('--list', 'every term: equation, formula, readings, inputs with symbol and shape', false)
    .addHelpText(
      'after',
      examples(
        'loss --list',
        'loss target_pose --inputs experiments/loss/target_pose.json',
        'loss total --inputs - --json < losses.json',
      ),
    )
    .action(async (term, options) => done(await (await import('./loss.ts')).loss(term, options)));
};

const addSample = (program: Command, done: Done): void => {
  withJson(program.command('sample'))
    .description('one prompt and pose by text only, the primary and the secondary adapter')
    .requiredOption('--prompt <text>', 'what the picture shows')
    .requiredOption('--pose <pose>', 'a photo, OpenPose keypoints (.json), a control map (.png), or the name of a pose')
    .option('--adapter <run|folder>', 'a run or a saved adapter; the last run when left out')
    .option('--out <folder>', 'where a new numbered folder is made', 'samples')
    .option('--seed <number>', 'the starting noise', wholeNumber(0), 0)
    .option('--num-images <number>', 'pictures, of seeds one after the other', wholeNumber(1), 1)
    .addHelpText(
      'after',
      examples(
        'sample --prompt "a girl, waving her left hand" --pose waving_left',
        'sample --prompt "a man in a park" --pose photo.jpg --adapter quickstart --num-images 4',
      ),
    )
    .action(async options => done(await (await import('./sample.ts')).sample(options)));
};

const addDataset = (program: Command, done: Done): void => {
  withJson(program.command('dataset'))
    .argument('<set>', 'the folder of an assembled set, a run, or an experiment file whose set is assembled')
    .argument('[folder]', 'with --export: the new folder; nothing is overwritten')
    .description('what an assembled dataset holds; as a page to look at, or as a folder for other trainers')
    .option('--html <file>', 'one page: pairs with keypoints over them, control maps, charts, what was left out')
    .option(
      '--pairs <number>',
      'with --html: so many pairs are shown, the first as the seed drew them',
      wholeNumber(1),
      200,
    )
    .option('--force', 'with --html: overwrite a file that is no such page', false)
    .addOption(new Option('--export <format>', 'copy it for datasets and diffusers').choices(['imagefolder']))
    .addHelpText(
      'after',
      examples(
        'dataset my-set',
        'dataset my.yaml --json',
        'dataset quickstart --html set.html --pairs 60',
        'dataset my.yaml --export imagefolder my-images',
      ),
    )
    .action(async (set, folder, options) =>
      done(await (await import('./dataset.ts')).showDataset(set, folder, options)),
    );
};

const addFiles = (program: Command, done: Done): void => {
  program
    .command('init')
    .argument('<file>', 'the YAML file to write')
    .description('write a commented starter experiment')
    .addHelpText('after', examples('init my.yaml'))
    .action(async file => done(await (await import('./init.ts')).init(file)));
  withJson(program.command('ls'))
    .description('every run with its state and main numbers')
    .addHelpText('after', examples('ls', 'ls --json'))
    .action(async options => done(await (await import('./ls.ts')).list(options)));
  withJson(program.command('status'))
    .argument('<sweep>', 'the name of a sweep, or its YAML file')
    .description('every trial of a sweep: state, progress, keypoint error and scene drift')
    .addHelpText('after', examples('status my-sweep', 'status my.yaml --json'))
    .action(async (sweep, options) => done(await (await import('./status.ts')).showStatus(sweep, options)));
  withJson(program.command('compare'))
    .argument('<sweep>', 'the name of a sweep, or its YAML file')
    .description(
      'the trials of a sweep, ranked, against the best and their primary; writes runs/<name>/sweep/report.html',
    )
    .addOption(new Option('--by <measure>', 'what ranks them').choices(['error', 'drift']).default('error'))
    .option('--markdown', 'the tables as Markdown', false)
    .addHelpText(
      'after',
      examples('compare my-sweep', 'compare my.yaml --by drift --json', 'compare my-sweep --markdown > table.md'),
    )
    .action(async (sweep, options) => done(await (await import('./compare.ts')).compareTrials(sweep, options)));
  program
    .command('export')
    .argument('<sweep>', 'the name of a sweep, or its YAML file')
    .description('one row a trial: axes, state, every number of compare, seconds, memory, run folder')
    .requiredOption('--out <file>', 'a new file; nothing is overwritten')
    .addOption(
      new Option('--format <format>', 'by the ending of the file when left out').choices(['csv', 'json', 'parquet']),
    )
    .addHelpText(
      'after',
      examples('export my-sweep --out trials.csv', 'export my.yaml --format parquet --out t.parquet'),
    )
    .action(async (sweep, options) => done(await (await import('./export.ts')).exportSweep(sweep, options)));
  program
    .command('logs')
    .argument('<sweep|run>', 'a sweep (name or YAML file), or a run (name/id, id, folder)')
    .argument('[trial]', 'the id of a trial')
    .description('what the trials of a sweep, or a run, have printed')
    .option('-f, --follow', 'go on until all have ended, or Ctrl-C', false)
    .addHelpText('after', examples('logs my-sweep -f', 'logs my-sweep 1a2b3c4d', 'logs quickstart/0576c853'))
    .action(async (given, trial, options) => done(await (await import('./logs.ts')).showLogs(given, trial, options)));
  withJson(program.command('diff'))
    .argument('<a>', 'a run or trial: name/id, id, folder, or a name for its last run')
    .argument('<b>', 'another')
    .description('what two runs differ in: experiment, code, versions, machine, stages, numbers')
    .addHelpText(
      'after',
      examples('diff my-sweep/1a2b3c4d my-sweep/5e6f7a8b', 'diff 1a2b3c4d runs/mine/5e6f7a8b --json'),
    )
    .action(async (a, b, options) => done(await (await import('./diff.ts')).showDiff(a, b, options)));
  withJson(program.command('clean'))
    .description('what the store holds, and what of it no run uses')
    .option('--yes', 'delete what no run uses', false)
    .addHelpText('after', examples('clean', 'clean --yes'))
    .action(async options => done(await (await import('./clean.ts')).clean(options)));
};

/** The command line. `done` is told the exit code of the verb that ran; wrong usage throws a CommanderError. */
export const makeProgram = (done: Done): Command => {
  // Subcommands inherit exitOverride only when it is set before they are made.
  const program = new Command('posetwin').exitOverride().showHelpAfterError();
  program.description('Train pose adapters and check the theory behind them: one YAML file, one command.');
  program.enablePositionalOptions();
  for (const add of [addRun, addAssemble, addReplay, addChecks, addTheory, addSample, addDataset, addFiles])
    add(program, done);
  return program;
};
