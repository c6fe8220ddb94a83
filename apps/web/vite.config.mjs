import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { guides } from './guides.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));

/** Builds the page into `dist/web`; the gateway serves it from there. */
export default defineConfig({
  root,
  // Chunks find each other by their own address; those that index.html names are placed by the gateway, which knows the public path.
  base: './',
  cacheDir: fileURLToPath(new URL('../../node_modules/.vite-web', import.meta.url)),
  plugins: [
    svelte({ configFile: false, compilerOptions: { runes: true } }),
    guides(fileURLToPath(new URL('../../devices/codecs', import.meta.url))),
  ],
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
  build: {
    outDir: fileURLToPath(new URL('../../dist/web', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // The first that know light-dark(): themes are written once.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // Nothing inline: the policy of the page refuses it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 400,
    // What nearly every page shows comes in one file with the frame: twenty small ones cost a slow browser more than their bytes.
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [{ name: 'ui', test: /apps\/web\/src\/(?:ui\/(?:list\/)?[^/]+|core\/[^/]+|api\/[^/]+)$/ }],
        },
      },
    },
  },
});
