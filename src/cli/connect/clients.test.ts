import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { after, beforeEach, test } from 'node:test'
import { promisify } from 'node:util'
import OpenAI from 'openai'
import { gateDatabase, startGate } from '../../../test/support/gate.ts'
import { startModelServer } from '../../../test/support/model-server.ts'
import { clients } from './clients.ts'

// before the database's own hook, so that the gate stops first
after(async () => {
  await gate.stop()
  await server.close()
})
const server = await startModelServer({ models: [{ name: 'scripted:latest' }] })
const database = await gateDatabase(['near'])
const gate = await startGate(database, 'gate-local', {
  upstreams: [{ name: 'near', kind: 'ollama', url: server.url, zone: 'machine' }], routes: { default: [{ upstream: 'near', model: 'auto' }] },
})
const key = `ck_${randomBytes(32).toString('hex')}`
await database.as('castellan_releaser').pool.query(`select client_key_make($1, 'pasted', $2, 'local', 'private', 2::smallint, '{}', null)`, [randomUUID(), createHash('sha256').update(key).digest()])
beforeEach(() => server.answer({ text: ['Good morning.'] }))

const settingsOf = (name: string, model = 'auto') => clients.find((client) => client.name === name)!.settings({ address: gate.address, key, model })

/** What a shell makes of settings, followed by a command. */
async function inShell(settings: string, command = ''): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-euc', `${settings}\n${command}`], { env: { PATH: process.env['PATH'] } })
  return stdout
}

/** Asks the way a client does that was given these two values. */
async function chat(baseURL: string | undefined, apiKey: string | undefined, model: string): Promise<string | null | undefined> {
  const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 })
  return (await client.chat.completions.create({ model, messages: [{ role: 'user', content: 'Hello' }] })).choices[0]?.message.content
}

test('curl, pasted into a shell, is answered', async () => {
  assert.match(await inShell(settingsOf('curl', 'near/scripted:latest').replace('curl ', 'curl -sS ')), /"content":"Good morning\."/)
})

test('a program on the OpenAI SDK, started where the settings were pasted, is answered without another word', async () => {
  const program = `import OpenAI from "openai"
    const answer = await new OpenAI({ maxRetries: 0 }).chat.completions.create({ model: "auto", messages: [{ role: "user", content: "Hello" }] })
    console.log(answer.choices[0].message.content)`
  assert.equal(await inShell(settingsOf('openai-sdk'), `'${process.execPath}' --input-type=module -e '${program}'`), 'Good morning.\n')
})

test('programs on the Anthropic SDK, and Claude Code, are answered where the settings were pasted', async () => {
  for (const [name, model] of [['anthropic-sdk', '"auto"'], ['claude-code', 'process.env.ANTHROPIC_MODEL']] as const) {
    const program = `import Anthropic from "@anthropic-ai/sdk"
      const answer = await new Anthropic({ maxRetries: 0 }).messages.create({ model: ${model}, max_tokens: 20, messages: [{ role: "user", content: "Hello" }] })
      console.log(answer.content[0].text)`
    assert.equal(await inShell(settingsOf(name), `'${process.execPath}' --input-type=module -e '${program}'`), 'Good morning.\n', name)
  }
})

test('a program on Ollama’s client, made as the settings say, is answered with the key in a header', async () => {
  const settings = settingsOf('ollama', 'near/scripted:latest')
  const [, made] = /^# JavaScript: (.*)$/m.exec(settings)!
  const [, model] = /^# the model: +(.*)$/m.exec(settings)!
  const program = `import { Ollama } from "ollama"
    const answer = await (${made}).chat({ model: "${model}", messages: [{ role: "user", content: "Hello" }] })
    console.log(answer.message.content)`
  assert.equal(await inShell(settings, `'${process.execPath}' --input-type=module -e '${program}'`), 'Good morning.\n')
})

test('programs on the Google SDK, and Gemini CLI, are answered where the settings were pasted', async () => {
  for (const [name, model] of [['google-sdk', '"auto"'], ['gemini-cli', 'process.env.GEMINI_MODEL']] as const) {
    const program = `import { GoogleGenAI } from "@google/genai"
      const answer = await new GoogleGenAI({}).models.generateContent({ model: ${model}, contents: "Hello" })
      console.log(answer.text)`
    assert.equal(await inShell(settingsOf(name), `'${process.execPath}' --input-type=module -e '${program}'`), 'Good morning.\n', name)
  }
  assert.match(settingsOf('gemini-cli', 'near/scripted:latest'), /^export GEMINI_MODEL=near\/scripted:latest$/m)
})

test('what Codex reads from its file and environment is answered on the wire of responses', async () => {
  const settings = settingsOf('codex')
  const value = (name: string) => new RegExp(`^${name} = "([^"]*)"$`, 'm').exec(settings)?.[1]
  assert.deepEqual([value('wire_api'), value('model_provider'), settings.includes('[model_providers.castellan]')], ['responses', 'castellan', true])
  const exported = new RegExp(`^# (export ${value('env_key')}=.*)$`, 'm').exec(settings)![1]!
  const client = new OpenAI({ baseURL: value('base_url'), apiKey: await inShell(exported, `printf %s "$${value('env_key')}"`), maxRetries: 0 })
  assert.equal((await client.responses.create({ model: value('model')!, input: 'Hello', store: false })).output_text, 'Good morning.')
})

test('opencode is given a whole file, with the model that was named', async () => {
  const file = JSON.parse(settingsOf('opencode', 'near/scripted:latest')) as { model: string; provider: { castellan: { options: { baseURL: string; apiKey: string }; models: object } } }
  const { options, models } = file.provider.castellan
  assert.deepEqual([file.model, Object.keys(models)], ['castellan/near/scripted:latest', ['near/scripted:latest']])
  assert.equal(await chat(options.baseURL, options.apiKey, Object.keys(models)[0]!), 'Good morning.')
})

test('the environments of Open WebUI and aider lead to the gate, with its key', async () => {
  const [webui, aider] = await Promise.all([
    inShell(settingsOf('open-webui'), 'echo "$OPENAI_API_BASE_URL $OPENAI_API_KEY"'),
    inShell(settingsOf('aider'), 'echo "$OPENAI_API_BASE $OPENAI_API_KEY"'),
  ])
  for (const words of [webui, aider]) {
    const [address, given] = words.trim().split(' ')
    assert.deepEqual((await new OpenAI({ baseURL: address, apiKey: given, maxRetries: 0 }).models.list()).data.map((model) => model.id), ['auto', 'near/scripted:latest'])
    assert.equal(await chat(address, given, 'auto'), 'Good morning.')
  }
})

test('no settings hold more of the house than the address, the key and the model', () => {
  for (const { settings } of clients) {
    const text = settings({ address: 'http://127.0.0.1:7402', key: 'ck_x', model: 'm' })
    assert.ok(text.includes('http://127.0.0.1:7402') && text.includes('ck_x'))
    assert.deepEqual(text.match(/https?:\/\/[^\s"]+/g)!.filter((one) => !/^http:\/\/127\.0\.0\.1:7402(\/v1|$)/.test(one) && one !== 'https://opencode.ai/config.json'), [])
  }
})
