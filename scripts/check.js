// `npm run check`: all that can be said about the source without running it. The parts run side by side; one line each, and what a failed one said.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error('this needs the Node of node_modules; `npm install` brings it (npm\'s ignore-scripts must be off)')
  process.exit(1)
}

const root = fileURLToPath(new URL('..', import.meta.url))
const tool = (name) => `${root}node_modules/.bin/${name}`
const configurationDoc = 'scripts/configuration-doc.ts'
const openapi = 'scripts/openapi.ts'

const parts = [
  { name: 'types', command: [tool('tsc'), '--noEmit', '--pretty', 'false'] },
  { name: 'types of web', command: [tool('tsc'), '--noEmit', '--pretty', 'false', '-p', 'web'] },
  { name: 'types of bench', command: [tool('tsc'), '--noEmit', '--pretty', 'false', '-p', 'bench'], when: existsSync(`${root}bench/node_modules`) },
  { name: 'lint', command: [tool('oxlint'), '--deny-warnings', '.'] },
  { name: 'dead code', command: [tool('knip'), '--no-progress'] },
  { name: 'architecture', command: [process.execPath, 'scripts/test.js', 'architecture.test.ts'] },
  { name: 'generated docs', command: [process.execPath, configurationDoc, '--check'], when: existsSync(`${root}${configurationDoc}`) },
  { name: 'generated OpenAPI', command: [process.execPath, openapi, '--check'] },
]

function perform({ name, command: [program, ...args] }) {
  return new Promise((resolve) => {
    const started = performance.now()
    let output = ''
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, FORCE_COLOR: '0' } })
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (output += text))
    child.on('error', (error) => (output += error.message))
    child.on('close', (code) => {
      console.log(`${code === 0 ? '✔' : '✖'} ${name.padEnd(17)} ${((performance.now() - started) / 1000).toFixed(1)} s`)
      resolve({ name, ok: code === 0, output })
    })
  })
}

const results = await Promise.all(parts.filter((part) => part.when !== false).map(perform))
for (const { name, output } of results.filter((result) => !result.ok)) console.log(`\n── ${name}\n${output.trim()}`)
process.exitCode = results.every((result) => result.ok) ? 0 : 1
