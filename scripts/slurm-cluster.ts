/** `tsx scripts/slurm-cluster.ts up DIR [NODES]`, `… down DIR`: a Slurm cluster on this machine, to try things with. */
import { argv } from 'zx';
import { startCluster, stopCluster, whyNoCluster } from './slurm/cluster.ts';

const usage = `Usage: tsx scripts/slurm-cluster.ts up DIR [NODES]   prints the line that points Slurm's commands at it
       tsx scripts/slurm-cluster.ts down DIR
`;

const main = async ([verb, folder, nodes]: readonly (string | number)[]): Promise<number> => {
  if ((verb !== 'up' && verb !== 'down') || folder === undefined) {
    console.error(usage);
    return 2;
  }
  if (verb === 'down') {
    await stopCluster(String(folder));
    return 0;
  }
  const reason = await whyNoCluster();
  if (reason !== undefined) {
    console.error(reason);
    return 3;
  }
  const { conf } = await startCluster(String(folder), Number(nodes ?? 2));
  console.log(`export SLURM_CONF=${conf}`);
  return 0;
};

process.exitCode = await main(argv._);
