#!/usr/bin/env node
// Runs src/cli/main.ts on the Node that package.json pins; plain JavaScript, because the Node that starts it may be older.
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', pathToFileURL(realpathSync(fileURLToPath(import.meta.url)))))
const main = `${root}src/cli/main.ts`
const pinnedNode = `${root}node_modules/node/bin/node`
const [major, minor] = process.versions.node.split('.').map(Number)

if (!existsSync(pinnedNode)) {
  process.stderr.write(`Castellan is not installed yet. Run \`npm start\` or \`npm install\` in ${root} (npm's ignore-scripts must be off), then this command again.\n`)
  process.exitCode = 1
} else if (major > 24 || (major === 24 && minor >= 12)) {
  // new enough to run TypeScript from source without a warning, so no second process is needed
  process.argv[1] = main
  await import(pathToFileURL(main).href)
} else {
  const child = spawn(pinnedNode, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
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
