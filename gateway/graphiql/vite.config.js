/**
 * Builds the page into `dist/`: `index.html`, and below `assets/` scripts, styles and the editor's workers under hashed names.
 * Everything is loaded from `/graphiql/` on the gateway's own origin; nothing is fetched from elsewhere at run time.
 */
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/graphiql/',
  build: {
    // The editor is one big chunk by nature, and embedded source maps would only grow the binary.
    chunkSizeWarningLimit: 8192,
    reportCompressedSize: false,
    sourcemap: false,
    // The licences of what is bundled ask for their text to go with it.
    license: { fileName: 'licenses.md' },
    // Dependencies carry "use client", which only a server renderer reads.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
  worker: { format: 'es' },
});
