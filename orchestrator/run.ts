/** The command line: arguments → command → exit code. */
import { CommanderError } from 'commander';
import { describeError, exitCodeOf, exitCodes } from './commands/exit-codes.ts';
import { makeProgram } from './commands/program.ts';
import { toPosetwinError } from './errors.ts';

/** Runs one command line and gives its exit code; nothing is thrown. */
const main = async (args: string[]): Promise<number> => {
  let exitCode: number = exitCodes.done;
  try {
    await makeProgram(code => {
      exitCode = code;
    }).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Help and version end that way too, with 0; commander has printed its own text.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.config;
    console.error(describeError(toPosetwinError(error)));
    return exitCodeOf(toPosetwinError(error));
  }
};

// A reader that has seen enough (`| head`) is no failure: what is at work goes on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await main(process.argv.slice(2));
