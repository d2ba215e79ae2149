import { z } from 'zod'
import { time } from './label.ts'

export const sessionLine = z
  .strictObject({
    id: z.uuid(),
    state: z.enum(['open', 'expired']),
    browser: z.string().describe('As it called itself.'),
    opened_at: time,
    seen_at: time,
    expires_at: time,
  })
  .meta({ id: 'SessionLine' })
export type SessionLine = z.output<typeof sessionLine>

export const sessionView = sessionLine
  .extend({ csrf: z.string().describe('Goes into the header `x-csrf-token` of every POST.') })
  .meta({ id: 'Session', description: 'The session of this browser.' })
export type SessionView = z.output<typeof sessionView>

export const signinLink = z
  .strictObject({ url: z.url(), exposed_url: z.url().nullable().describe('The same under the name that other devices ask for, where one is exposed. Either of the two works, once.'), expires_at: time })
  .meta({ id: 'SigninLink', description: 'Works once.' })
export type SigninLink = z.output<typeof signinLink>

export const signedOut = z.strictObject({ id: z.uuid(), state: z.literal('signed_out') }).meta({ id: 'SignedOut' })

/** A hint: something of this kind changed, ask again. */
export const hint = z.strictObject({ topic: z.enum(['runs', 'drafts', 'jobs', 'house']) }).meta({ id: 'Hint', description: 'Something of this kind changed: ask again.' })
export type Hint = z.output<typeof hint>
