import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../../kernel/fault.ts'
import type { Invocation } from '../command/add-command.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import type { SocketClient } from '../connection/socket-client.ts'
import { distance, moment } from '../terminal/wording.ts'

export interface EnrollOptions {
  readonly passkey?: boolean
  readonly name?: string
  readonly wait?: boolean
  readonly key?: string
  readonly passphraseFd?: number
}

interface Issued {
  id: string
  code: string
  link: string
  expires_at: string
  sign_origin: string
  rp_id: string
}

type CodeState = { state: 'waiting' | 'over' } | { state: 'used'; key_id: string; name: string }

const pollMs = 500

/** Asks the releaser for a code that counts once, and waits until a browser has used it. */
export async function enrollPasskey({ options, here, io, err, releaser }: Invocation<EnrollOptions>): Promise<Outcome> {
  const client = await releaser()
  if (options.dryRun) return outcome({ state: 'dry_run', would: 'would make a code that lets one browser enrol a passkey' }, (data) => data.would)
  const issued = await client.post<Issued>('/enrolments', options.name === undefined ? {} : { name: options.name })
  const wait = options.wait ?? (err.tty && options.json !== true)
  if (!wait) return outcome({ ...issued, state: 'waiting' }, () => instructions(issued, here))
  // not on stdout, which tells how it ended
  io.stderr.write(`${instructions(issued, here)}\n`)
  const { key_id: id, name } = await waitUntilUsed(client, issued)
  return outcome({ id, name, kind: 'passkey', state: 'enrolled', rp_id: issued.rp_id }, (data) => `Passkey ${data.name} (${data.id}) is enrolled for ${data.rp_id}: what it signs leaves.`)
}

function instructions({ link, code, expires_at, sign_origin }: Issued, here: Invocation['here']): string {
  return [
    'Open this in the browser that holds the passkey, or that reaches the device with it:', '', `  ${link}`, '',
    `or open ${sign_origin} and type the code ${code}`,
    `It counts once, until ${moment(expires_at, here)} (${distance(expires_at, here)}).`,
  ].join('\n')
}

async function waitUntilUsed(client: SocketClient, { id }: Issued): Promise<Extract<CodeState, { state: 'used' }>> {
  for (;;) {
    const now = await client.get<CodeState>(`/enrolments/${id}`)
    if (now.state === 'used') return now
    if (now.state === 'over') {
      throw new Fault('conflict', 'enrol.over', 'nobody enrolled with this code: its ten minutes are over, it was tried too often, or a newer one was made; run it again')
    }
    await delay(pollMs)
  }
}
