import type { House } from '../../house/index.ts'
import type { Database } from '../../kernel/database/connect.ts'

/** Why security alerts reach nobody outside this machine, and the command that mends it. */
export interface AlertsSilent {
  readonly why: string
  readonly mend: string
}

/** Decided by what also starts the jobs that tell of alerts; null: they reach the operator. What waits until then is not lost. */
export async function readAlertsSilent({ pool }: Pick<Database, 'pool'>, { settings }: Pick<House, 'settings'>): Promise<AlertsSilent | null> {
  const { tell } = settings.outbox
  const { rows } = await pool.query<{ why: keyof typeof reasons | null }>('select alerts_silent($1) as why', [tell ?? null])
  const { why } = rows[0]!
  return why === null ? null : reasons[why](tell ?? '')
}

const reasons = {
  job: () => ({ why: 'no job is started by them', mend: 'castellan job list' }),
  paused: () => ({ why: 'the job that tells of them is paused', mend: 'castellan job list' }),
  tell: () => ({ why: 'castellan.yaml names no way to you', mend: 'castellan config explain outbox.tell' }),
  order: (tell: string) => ({
    why: `no standing order lets messages by ${tell} leave`,
    mend: `castellan order propose alerts --kind telegram.message --connector ${tell} --per-day 50 --level P1`,
  }),
  count: (tell: string) => ({ why: `the standing order for messages by ${tell} is used up for today`, mend: 'castellan order list' }),
}
