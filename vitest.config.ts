import { defineConfig } from 'vitest/config';

// Threads are pinned so that two test files side by side do not fight over two cores, and numbers repeat.
const threads = { OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', TOKENIZERS_PARALLELISM: 'false' };

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // pythonia is one shared child per process: every file needs a process of its own.
    pool: 'forks',
    isolate: true,
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    env: { ...threads, HF_HUB_OFFLINE: '1', TRANSFORMERS_OFFLINE: '1' },
  },
});
