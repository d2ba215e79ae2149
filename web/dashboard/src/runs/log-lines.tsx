import type { LogLine } from '../api/views.ts'
import { useTimezone } from '../words/use-timezone.ts'
import { visibleText } from '../words/wording.ts'

/** What steps logged, oldest first. A line that is P3 local only says so instead of what it says. */
export function LogLines({ lines, steps = false }: { lines: readonly LogLine[]; steps?: boolean }) {
  const timezone = useTimezone()
  return (
    <ol className="log" tabIndex={0} aria-label="Log">
      {lines.map((line) => (
        <li key={line.id}>
          <time dateTime={line.at}>{clockOf(line.at, timezone)}</time>
          <span className={`log-level log-${line.level}`}>{line.level}</span>
          {steps && <span className="faint">{line.step}</span>}
          <span>{line.withheld ? <em className="faint">P3 local only, left out</em> : visibleText(line.message)}{fieldsOf(line)}</span>
        </li>
      ))}
    </ol>
  )
}

/** `07:10:02.123`: lines of one second are told apart. */
function clockOf(at: string, timeZone: string | undefined): string {
  return new Date(at).toLocaleTimeString('sv-SE', { timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 }).replace(',', '.')
}

function fieldsOf({ fields }: LogLine): string {
  const parts = Object.entries(fields).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return parts.length === 0 ? '' : ` ${visibleText(parts.join(' '))}`
}
