import { execa } from 'execa';

export interface GitState {
  commit: string;
  /** true when tracked files differ from the commit, or there are untracked ones */
  dirty: boolean;
}

const git = async (folder: string, ...args: string[]): Promise<string | null> => {
  const result = await execa('git', args, { cwd: folder, reject: false, stdin: 'ignore' });
  return result.failed ? null : result.stdout;
};

/** The commit that `folder` is at; null without git, outside a repository and before the first commit. */
export const gitState = async (folder: string): Promise<GitState | null> => {
  const [commit, changes] = await Promise.all([
    git(folder, 'rev-parse', '--verify', 'HEAD'),
    git(folder, 'status', '--porcelain'),
  ]);
  return commit === null || changes === null ? null : { commit, dirty: changes !== '' };
};
