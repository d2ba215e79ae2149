import { useNow } from '../words/use-now.ts'
import { useTimezone } from '../words/use-timezone.ts'
import { distance, moment } from '../words/wording.ts'

/** `07:10`, with the whole moment for who asks. */
export function Moment({ at }: { at: string }) {
  const here = { now: useNow(), timezone: useTimezone() }
  return <time dateTime={at}>{moment(at, here)}</time>
}

/** `in 3 h 10 min`. */
export function Distance({ at }: { at: string }) {
  const here = { now: useNow(), timezone: undefined }
  return <time dateTime={at}>{distance(at, here)}</time>
}
