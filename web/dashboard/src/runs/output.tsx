import { Button } from '@mantine/core'
import { IconEye, IconLock } from '@tabler/icons-react'
import { useState } from 'react'
import { sentenceOf } from '../api/api-problem.ts'
import { visibleText } from '../words/wording.ts'

const shownAtOnce = 4_000

/** A value as JSON, a long one from its beginning. Nothing in it is markup, and no invisible character stays invisible. */
export function Output({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false)
  const text = visibleText(typeof value === 'string' ? value : JSON.stringify(value, undefined, 2))
  const long = text.length > shownAtOnce
  return (
    <div className="output">
      <pre tabIndex={0}>{long && !whole ? `${text.slice(0, shownAtOnce)}…` : text}</pre>
      {long && !whole && <Button size="xs" variant="default" className="touch" onClick={() => setWhole(true)}>Show all {Math.ceil(text.length / 1000)} kB</Button>}
    </div>
  )
}

interface WithheldProps {
  readonly what: string
  readonly pending: boolean
  readonly error: unknown
  readonly onReveal: () => void
}

/** P3 local only is not in the browser until somebody asks for it, which is written down. */
export function Withheld({ what, pending, error, onReveal }: WithheldProps) {
  return (
    <div className="withheld">
      <IconLock size={16} aria-hidden />
      <span>{what} is P3 local only, and so not in this browser. That you look at it is written down.</span>
      <Button size="xs" variant="default" className="touch" loading={pending} onClick={onReveal} leftSection={<IconEye size={14} aria-hidden />}>Reveal</Button>
      {error !== null && <span role="alert" className="state tone-bad">{sentenceOf(error)}</span>}
    </div>
  )
}
