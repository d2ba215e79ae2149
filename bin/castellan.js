#!/usr/bin/env node
// Runs src/cli/main.ts on the Node that package.json pins; plain JavaScript, because the Node that starts it may be older.
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import nodeModule from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const self = realpathSync(fileURLToPath(import.meta.url))
const root = fileURLToPath(new URL('..', pathToFileURL(self)))
const main = `${root}src/cli/main.ts`
const pinnedNode = `${root}node_modules/node/bin/node`
const [major, minor] = process.versions.node.split('.').map(Number)

if (!existsSync(pinnedNode)) {
  process.stderr.write(`Castellan is not installed yet. Run \`npm start\` or \`npm install\` in ${root} (npm's ignore-scripts must be off), then this command again.\n`)
  process.exitCode = 1
} else if (major > 24 || (major === 24 && minor >= 12)) {
  // new enough to run TypeScript from source without a warning, so no second process is needed
  process.argv[1] = main
  // before the first file with types: where one is not in the cache, Node loads a compiler for it, whose 12 MB stay (measured); in a folder
  // of the user's own: what is compiled there is executed, so nobody else may be able to write it (/tmp, the default)
  nodeModule.enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'castellan'))
  await import(pathToFileURL(main).href)
} else {
  const child = spawn(pinnedNode, [self, ...process.argv.slice(2)], { stdio: 'inherit' })
  // what a terminal sends with Ctrl-C reaches the child by itself; a second one would cut its orderly end short
  const passedOn = process.stdin.isTTY ? ['SIGTERM', 'SIGHUP', 'SIGUSR2'] : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']
  for (const signal of passedOn) process.on(signal, () => child.kill(signal))
  if (process.stdin.isTTY) process.on('SIGINT', () => {})
  child.on('error', (error) => {
    process.stderr.write(`cannot start ${pinnedNode}: ${error.message}. \`npm ci\` installs it again.\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code
      return
    }
    for (const passed of [...passedOn, 'SIGINT']) process.removeAllListeners(passed)
    process.kill(process.pid, signal)
  })
}
