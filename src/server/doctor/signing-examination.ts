import { openPool } from '../../kernel/http-pool.ts'
import type { SigningSite } from '../../house/index.ts'
import type { Examination, Finding } from './doctor.ts'

export interface SigningPageDeps {
  /** As the house says now. */
  readonly site: () => SigningSite
  /** Where the releaser listens on loopback; 0 when nobody knows. */
  readonly port: number
}

/** What the page says of itself to whoever asks. */
interface PageState {
  readonly releaser: string
  readonly sign_origin: string
  readonly rp_id: string
  readonly enrolled: boolean
  readonly enrolled_for: readonly string[]
}

const answerMs = 2_000

/** Does the page answer here and at the address that the operator opens, and do the enrolled passkeys work there? */
export function signingExamination({ site, port }: SigningPageDeps): Examination {
  return {
    id: 'signing',
    mend: 'castellan config explain outbox.sign_origin',
    async look() {
      if (port === 0) return { status: 'ok', what: 'the page is on any free port, so it was not asked' }
      const here = await askState(`http://127.0.0.1:${port}`)
      if ('silent' in here) return { status: 'fail', what: `the page does not answer on 127.0.0.1:${port}: ${here.silent}`, mend: 'castellan status' }
      return [...(await atOrigin(here, site())), ...passkeys(here)]
    },
  }
}

async function atOrigin(here: PageState, { origin }: SigningSite): Promise<Finding[]> {
  if (here.sign_origin !== origin) return [{ status: 'warn', what: `drafts are signed at ${here.sign_origin}, and the house says ${origin}`, mend: 'castellan reload' }]
  const there = await askState(origin)
  if ('silent' in there) return [{ status: 'warn', what: `${origin} could not be asked from here: ${there.silent}` }]
  if (there.releaser !== here.releaser) return [{ status: 'fail', what: `at ${origin} something else answers than this releaser` }]
  return [{ status: 'ok', what: `${origin} answers` }]
}

function passkeys({ enrolled, enrolled_for, rp_id }: PageState): Finding[] {
  if (enrolled) return [{ status: 'ok', what: `a passkey is enrolled for ${rp_id}` }]
  if (enrolled_for.length === 0) return []
  return [{ status: 'fail', what: `passkeys enrolled for ${enrolled_for.join(', ')} do not work at ${rp_id}`, mend: 'castellan operator enroll --passkey' }]
}

async function askState(origin: string): Promise<PageState | { silent: string }> {
  const pool = openPool(origin, { connect: { timeout: answerMs }, headersTimeout: answerMs, bodyTimeout: answerMs })
  try {
    const { statusCode, body } = await pool.request({ path: '/api/state', method: 'GET' })
    const answer = (await body.json()) as { ok: boolean; data: PageState; error?: { message: string } }
    return answer.ok ? answer.data : { silent: answer.error?.message ?? `it answers ${statusCode}` }
  } catch (error) {
    return { silent: (error as Error).message || ((error as { code?: string }).code ?? 'no answer') }
  } finally {
    await pool.close()
  }
}
