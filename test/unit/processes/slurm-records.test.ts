import { describe, expect, it } from 'vitest';
import { parseJobs, parseTasks, recordOf } from '../../../orchestrator/processes/slurm-records.ts';

// As Slurm 22.05 prints them, shortened.
const text = [
  'JobId=12 ArrayJobId=12 ArrayTaskId=2-3%2 ArrayTaskThrottle=2 JobName=poses UserId=me(1) Account=(null) JobState=PENDING Reason=JobArrayTaskLimit Dependency=(null) Requeue=1 Restarts=0 ExitCode=0:0 Comment=posetwin:1 JobState=COMPLETED ExitCode=9:0',
  'JobId=14 ArrayJobId=12 ArrayTaskId=1 ArrayTaskThrottle=2 JobName=poses UserId=me(1) JobState=RUNNING Reason=None Restarts=1 ExitCode=0:0 Command=/shared/job.sh',
  'JobId=13 ArrayJobId=12 ArrayTaskId=0 JobName=poses JobState=FAILED Reason=NonZeroExitCode ExitCode=7:0',
  '',
].join('\n');

describe('scontrol show job', () => {
  it('is read by its first keys, whatever a comment says', () => {
    expect(parseJobs(text)).toEqual([
      { tasks: [2, 3], state: 'PENDING', exit_code: 0, signal: 0, reason: 'JobArrayTaskLimit' },
      { tasks: [1], state: 'RUNNING', exit_code: 0, signal: 0, reason: 'None' },
      { tasks: [0], state: 'FAILED', exit_code: 7, signal: 0, reason: 'NonZeroExitCode' },
    ]);
  });

  it('holds no job where it prints something else', () => {
    expect(parseJobs('No jobs in the system\n')).toEqual([]);
  });

  it('speaks of tasks that were cancelled before they began without their indices', () => {
    const cancelled = 'JobId=12 ArrayJobId=12 ArrayTaskId=4294967294 JobName=poses JobState=CANCELLED ExitCode=0:15';
    const records = parseJobs(`${cancelled}\n${text}`);
    expect(recordOf(records, 0)?.state).toBe('FAILED');
    expect(recordOf(records, 9)).toMatchObject({ tasks: 'rest', state: 'CANCELLED', signal: 15 });
    expect(recordOf(parseJobs(text), 9)).toBeUndefined();
  });
});

describe('a list of array tasks', () => {
  it.each([
    ['5', [5]],
    ['0-3', [0, 1, 2, 3]],
    ['2-3%2', [2, 3]],
    ['1,4-8:2,10', [1, 4, 6, 8, 10]],
    ['N/A', []],
    ['', []],
  ])('%s is %j', (text, tasks) => {
    expect(parseTasks(text)).toEqual(tasks);
  });
});
