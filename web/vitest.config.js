import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vitest/config';

const oldest = (name) => fileURLToPath(new URL(`test/react-18/node_modules/${name}`, import.meta.url));

const WITHOUT_REACT = ['server', 'follow-job', 'job-state'].map((name) => `test/${name}.test.js`);
// Pages that vite builds, with the newest React; and the specification's client, which is one of its time.
const BUILT = ['example', 'front', 'packed', 'tabs', 'specification', 'specification-chromium'].map((name) => `test/${name}.test.js`);

const common = {
  include: ['test/*.test.js'],
  environment: 'jsdom',
  testTimeout: 120_000,
  hookTimeout: 240_000,
  retry: 1,
};

export default defineConfig({
  test: {
    // Every test file drives servers of many processes: one after the other.
    fileParallelism: false,
    globalSetup: 'test/global-setup.js',
    reporters: ['default', './test/flakes.js'],
    projects: [
      { test: { ...common, name: 'react-19' } },
      {
        resolve: { alias: [{ find: /^(react|react-dom)(\/.*)?$/, replacement: `${oldest('')}$1$2` }] },
        test: { ...common, name: 'react-18', exclude: WITHOUT_REACT.concat(BUILT) },
      },
    ],
  },
});
