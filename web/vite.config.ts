import react from '@vitejs/plugin-react'
import { join } from 'node:path'
import { defineConfig } from 'vite'

const here = import.meta.dirname

/**
 * Two apps that share no byte: `--mode dashboard` is served by the server, `--mode signing` by the releaser on its own origin.
 * What a page needs comes from its own origin: nothing is inlined, so that a policy without `unsafe-inline` holds.
 */
export default defineConfig(({ mode }) => ({
  root: join(here, mode),
  plugins: [react()],
  build: {
    outDir: join(here, 'dist', mode),
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
}))
