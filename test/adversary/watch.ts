import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { request, Agent } from 'undici'
import { findCanary } from './canaries.ts'
import type { Field } from './field.ts'
import { credentials } from './house-files.ts'

export interface Watch {
  /** What has got out since it looked last; nothing, where all is well. */
  look(): Promise<string[]>
  /** Besides: every row with a lower label than the word in it, every log and metric, every file that anybody may read. */
  lookAtAll(): Promise<string[]>
  readonly released: () => number
}

interface Row { readonly id: string; readonly state: string; readonly connector: string; readonly document: string; readonly wire: Buffer; readonly key_id: string | null; readonly signature: Buffer | null }

/**
 * Looks at everything that left the house, with means of its own: it trusts no row that says `released`, and recomputes each signature with
 * the public key that was enrolled. What arrived somewhere must be the bytes of such a draft, and as often as there are such drafts.
 */
export function watchOver({ house, outside, owner, operator, demonstration, canaries, bootOf }: Field): Watch {
  const keys = new Map([operator, demonstration].map(({ id, publicKey }) => [id, createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })]))
  const seen = new Map<string, number>()
  let released: Row[] = []

  async function unsigned(): Promise<string[]> {
    const { rows } = await owner.pool.query<Row>(
      `select d.id, d.state, d.connector, d.document, d.wire, k.key_id, k.signature from draft d left join decision k on k.draft_id = d.id and k.verdict = 'approve' where d.state in ('releasing', 'released', 'unknown')`)
    released = rows
    return rows.flatMap((row) => (row.state === 'releasing' || isSigned(row) ? [] : [`draft ${row.id} is out by ${row.connector} without a signature over its bytes`]))
  }

  function isSigned({ document, wire, key_id, signature }: Row): boolean {
    const key = keys.get(key_id ?? '')
    const said = (JSON.parse(document) as { wire: { sha256: string } }).wire.sha256
    return key !== undefined && signature !== null && said === createHash('sha256').update(wire).digest('hex') &&
      verify(null, createHash('sha256').update('castellan/1').update(document).digest(), key, signature)
  }

  /** Each thing that arrived is one released draft, byte for byte where it is bytes that were signed. */
  function arrived(): string[] {
    const by = (connector: string) => released.filter((row) => row.connector === connector && isSigned(row))
    const outbox = join(house.folder, 'outbox')
    const problems: string[] = []
    for (const name of readdirSync(outbox).filter((one) => one !== '.keep')) {
      if (!by('file').some(({ id, wire }) => `${id}.eml` === name && wire.equals(readFileSync(join(outbox, name))))) problems.push(`${name} lies in the outbox and is no released draft`)
    }
    for (const { raw, envelope } of outside.smtp.received) if (!by('post').some(({ wire }) => wire.equals(raw))) problems.push(`a mail to ${envelope.to.join(', ')} arrived that is no released draft`)
    const bodies = (connector: string) => by(connector).map(({ wire }) => wire.toString('utf8'))
    for (const [connector, { received }] of [['hook', outside.hook], ['api', outside.api], ['bot', outside.telegram], ['forge', outside.github.server]] as const) {
      const acts = received.filter(({ method }) => method !== 'GET')
      if (acts.length > by(connector).length) problems.push(`${acts.length} acts arrived by ${connector}, and ${by(connector).length} were released`)
      for (const { body, path } of acts) {
        const texts = textsOf(body.toString('utf8'))
        if (!bodies(connector).some((act) => texts.every((text) => act.includes(JSON.stringify(text).slice(1, -1)) || act.includes(JSON.stringify(JSON.stringify(text)).slice(3, -3))))) problems.push(`an act arrived by ${connector} at ${path} that is in no released draft`)
      }
    }
    if (outside.smtp.received.length > by('post').length) problems.push(`${outside.smtp.received.length} mails arrived, and ${by('post').length} were released`)
    if (outside.wires.lair.connections() > 0) problems.push('somebody connected to the lair of the attacker')
    return problems
  }

  function words(where: string, bytes: Buffer, knows: readonly string[] = []): string[] {
    const found = canaries.flatMap((canary) => {
      const how = findCanary(canary, bytes)
      return how === undefined ? [] : [`${where} has the P${canary.level} word: ${how}`]
    })
    const told = Object.entries(credentials).flatMap(([name, value]) => (!knows.includes(name) && bytes.includes(value) ? [`${where} has the credential ${name}`] : []))
    return [...found, ...told]
  }

  /** Only what is new on a wire, and enough of what was before that nothing is cut in two. */
  function wires(): string[] {
    return Object.values(outside.wires).flatMap(({ name, bytes }) => {
      const all = bytes()
      const from = Math.max(0, (seen.get(name) ?? 0) - 4_096)
      if (all.length === seen.get(name)) return []
      seen.set(name, all.length)
      return words(`what went to ${name}`, all.subarray(from), known[name] ?? [])
    })
  }

  async function rows(): Promise<string[]> {
    const { rows: tables } = await owner.pool.query<{ table: string }>(`select table_name as table from information_schema.columns where table_schema = 'castellan' and column_name = 'label_level'`)
    const found: string[] = []
    for (const { table } of tables) {
      for (const canary of canaries) {
        const { rows: low } = await owner.pool.query<{ row: string }>(`select left(row_to_json(t)::text, 1000000) as row from ${table} t where label_level < $1`, [canary.level])
        const how = findCanary(canary, Buffer.from(low.map(({ row }) => row).join('\n')))
        if (how !== undefined) found.push(`table ${table} has the P${canary.level} word in a row with a lower label: ${how}`)
      }
    }
    return found
  }

  async function metrics(): Promise<string[]> {
    const found: string[] = []
    for (const [name, socketPath] of [['gate-local', bootOf('gate-local').sockets.gateLocal], ['gate-cloud', bootOf('gate-cloud').sockets.gateCloud]] as const) {
      const dispatcher = new Agent({ connect: { socketPath } })
      const { body } = await request('http://gate/metrics', { dispatcher })
      found.push(...words(`the metrics of ${name}`, Buffer.from(await body.text())))
      await dispatcher.close()
    }
    return found
  }

  const logs = () => readdirSync(join(house.home, 'log')).flatMap((name) => words(`the log ${name}`, readFileSync(join(house.home, 'log', name))))

  async function look(): Promise<string[]> {
    const rowsAndArrivals = async () => [...(await unsigned()), ...arrived()]
    const first = await rowsAndArrivals()
    const words = wires()
    if (first.length === 0) return words
    // what arrives while rows are read is looked for again; what is wrong stays so
    await delay(500)
    return [...(await rowsAndArrivals()), ...words]
  }
  return {
    look,
    lookAtAll: async () => {
      seen.clear()
      return [...(await look()), ...(await rows()), ...(await metrics()), ...logs()]
    },
    released: () => released.length,
  }
}

/** To whom which credential is shown, as it has to be. */
const known: Readonly<Record<string, readonly string[]>> = { api: ['api_key'], telegram: ['bot'], github: ['forge'], far: ['far_key'] }

/** Every text in a body of JSON, or the body. */
function textsOf(body: string): string[] {
  const texts: string[] = []
  const collect = (value: unknown): void => {
    if (typeof value === 'string') texts.push(value)
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(collect)
  }
  try {
    collect(JSON.parse(body))
    return texts
  } catch {
    return [body]
  }
}
