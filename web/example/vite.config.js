import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vite';

export default defineConfig({
  base: './', // the built page works below any address
  resolve: {
    alias: { 'bmn-web': fileURLToPath(new URL('../src/index.js', import.meta.url)) },
  },
});
