import type { Check } from '../api.ts'

/** Looks at one thing; what it throws is a failure of that check alone. */
export interface Examination {
  readonly id: string
  /** The command that mends it, unless the finding names another. */
  readonly mend: string
  look(): Promise<Finding | readonly Finding[]>
}

export interface Finding {
  readonly status: Check['status']
  readonly what: string
  readonly mend?: string
}

export interface Doctor {
  examine(): Promise<Check[]>
}

const answerMs = 3_000

/** Makes all examinations at once and lists what they found, in their order. */
export function createDoctor(examinations: readonly Examination[]): Doctor {
  return {
    async examine() {
      return (await Promise.all(examinations.map(examineOne))).flat()
    },
  }
}

async function examineOne({ id, mend, look }: Examination): Promise<Check[]> {
  const late = Promise.withResolvers<Finding>()
  const timer = setTimeout(() => late.resolve({ status: 'fail', what: `did not answer within ${answerMs / 1000} s` }), answerMs)
  try {
    const found = await Promise.race([look(), late.promise])
    return [found].flat().map((finding) => check(id, mend, finding))
  } catch (error) {
    return [check(id, mend, { status: 'fail', what: error instanceof Error ? error.message : String(error) })]
  } finally {
    clearTimeout(timer)
  }
}

function check(id: string, mend: string, finding: Finding): Check {
  return finding.status === 'ok' ? { id, status: 'ok', what: finding.what } : { id, status: finding.status, what: finding.what, mend: finding.mend ?? mend }
}
