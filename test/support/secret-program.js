// What `op`, `sops`, `security` and `ansible-vault` do on a command line, over a store of plain JSON; and age itself behind the same door. The name it was called by says which.
// How it shall behave stands in a file beside the store, so that neither arguments nor environment are other than those of the real program.
import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const folder = dirname(process.argv[1])
const name = basename(process.argv[1])
const args = process.argv.slice(2)
const state = JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8'))
const input = state.neverReads ? '' : readFileSync(0, 'utf8')
appendFileSync(join(folder, 'calls.jsonl'), `${JSON.stringify({ name, args, pid: process.pid, variables: Object.keys(process.env).sort() })}\n`)

if (state.watched) await waitUntil(() => existsSync(join(folder, `seen-${process.pid}`)))
const behaviour = state.behaviour?.[name] ?? 'works'
const die = (code, words) => {
  process.stderr.write(`${words}\n`)
  process.exit(code)
}

if (behaviour === 'fails') die(1, `panic: while decrypting ${state.loud}\n${input}`)
if (behaviour === 'hangs' || behaviour === 'killed') {
  process.stdout.write(state.loud.slice(0, 10))
  process.stderr.write(`holding ${state.loud}\n`)
  if (behaviour === 'killed') process.kill(process.pid, 'SIGKILL')
  spawn('sleep', ['600'], { stdio: 'inherit' }) // holds the pipes too
  // whole at once: who sees it reads it
  writeFileSync(join(folder, `.hangs-${name}`), String(process.pid))
  renameSync(join(folder, `.hangs-${name}`), join(folder, `hangs-${name}`))
  await new Promise(() => setInterval(() => {}, 1000))
}
if (behaviour === 'floods') {
  process.stdout.on('error', () => process.exit(1))
  for (;;) if (!process.stdout.write('x'.repeat(65536))) await new Promise((resolve) => process.stdout.once('drain', resolve))
}
if (behaviour.says) die(behaviour.code ?? 1, behaviour.says)

const save = () => {
  writeFileSync(join(folder, 'state.json.new'), JSON.stringify(state))
  renameSync(join(folder, 'state.json.new'), join(folder, 'state.json'))
}
const flag = (wanted) => args.find((arg) => arg.startsWith(`${wanted}=`))?.slice(wanted.length + 1)

if (name === 'age') {
  process.stdout.write(execFileSync('/usr/bin/age', args, { input, stdio: ['pipe', 'pipe', 'inherit'] }))
} else if (name === 'op') {
  if (args[0] === 'read') {
    const reference = args.find((arg) => arg.startsWith('op://'))
    const [, , vault, item, ...field] = reference.split('/')
    const found = state.op[`${vault}/${item}`]
    if (!found) die(1, `[ERROR] 2026/11/28 10:00:00 could not read secret '${reference}': "${item}" isn't an item in the "${vault}" vault`)
    const value = found.fields.find(({ label }) => label === field.at(-1))?.value
    if (value === undefined) die(1, `[ERROR] 2026/11/28 10:00:00 could not read secret: item '${vault}/${item}' does not have a field '${field.at(-1)}'`)
    process.stdout.write(args.includes('--no-newline') ? value : `${value}\n`)
  } else if (args[0] === 'item' && args[1] === 'get') {
    process.stdout.write(JSON.stringify(state.op[`${flag('--vault')}/${args[2]}`]))
  } else if (args[0] === 'item' && args[1] === 'edit') {
    state.op[`${flag('--vault')}/${args[2]}`] = JSON.parse(input)
    save()
    process.stdout.write('ID: abc\n')
  }
} else if (name === 'sops') {
  const tree = args.find((arg) => arg.startsWith('['))
  const way = [...tree.matchAll(/\[("([^"]*)"|\d+)\]/g)].map(([, whole, text]) => text ?? Number(whole))
  const file = args.find((arg) => arg.startsWith('/'))
  let at = state.sops[file]
  if (at === undefined) die(100, 'sops metadata not found')
  for (const part of way.slice(0, -1)) at = at[part]
  if (args[0] === 'set') {
    if (!args.includes('--value-stdin')) die(1, 'the value would stand in the list of arguments')
    at[way.at(-1)] = JSON.parse(input)
    save()
  } else if (at?.[way.at(-1)] === undefined) die(91, `component [${JSON.stringify(way.at(-1))}] not found`)
  else process.stdout.write(String(at[way.at(-1)]))
} else if (name === 'security') {
  if (args[0] === 'find-generic-password') {
    const value = state.keychain[`${args[args.indexOf('-s') + 1]}/${args.includes('-a') ? args[args.indexOf('-a') + 1] : ''}`]
    if (value === undefined) die(44, 'security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain.')
    process.stdout.write(`${value}\n`)
  } else if (args[0] === '-i') {
    const [, service, account, hex] = /^add-generic-password -U -s "(.*)" -a "(.*)" -X ([0-9a-f]+)\n$/.exec(input)
    state.keychain[`${service}/${account}`] = Buffer.from(hex, 'hex').toString()
    save()
  }
} else if (name === 'ansible-vault') {
  const source = args[args.indexOf('--vault-password-file') + 1]
  const password = (source === '/bin/cat' ? input : readFileSync(source, 'utf8')).trim()
  if (password !== state.vaultPassword) die(1, 'ERROR! Decryption failed (no vault secrets were found that could decrypt)')
  const turned = (text) => (state.backwards ? [...text].reverse().join('') : text)
  if (args[0] === 'view') process.stdout.write(Buffer.from(turned(readFileSync(args.at(-1), 'utf8').split('\n')[1]), 'base64'))
  else process.stdout.write(`$ANSIBLE_VAULT;1.1;AES256\n${turned(Buffer.from(input).toString('base64'))}\n`)
}

async function waitUntil(holds) {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 3))
}
