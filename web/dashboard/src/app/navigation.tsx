import { IconBuildingCastle, IconCalendarClock, IconHistory, IconSignature, IconSun } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { todayQuery } from '../api/queries.ts'
import { pages, type PagePath } from './pages.ts'

export const pageIcons: Readonly<Record<PagePath, typeof IconSun>> = {
  '/': IconSun, '/jobs': IconCalendarClock, '/runs': IconHistory, '/drafts': IconSignature, '/house': IconBuildingCastle,
}

/** The five pages, at the side on a desk and at the bottom on a phone. */
export function Navigation({ className, iconSize }: { className: string; iconSize: number }) {
  const { data: needsYou = 0 } = useQuery({ ...todayQuery, select: ({ counts }) => counts.needs_you })
  const { data: critical = false } = useQuery({ ...todayQuery, select: ({ security_alerts: alerts }) => alerts.some(({ level }) => level === 'critical') })
  return (
    <nav className={className} aria-label="Pages">
      {pages.map(({ path, name }) => {
        const Icon = pageIcons[path]
        return (
          <Link key={path} to={path} activeOptions={{ exact: path === '/', includeSearch: false }}>
            <Icon size={iconSize} stroke={1.75} aria-hidden />
            {name}
            {path === '/' && needsYou > 0 && <span className={critical ? 'badge badge-critical' : 'badge'} aria-label={`${needsYou} ${needsYou === 1 ? 'needs' : 'need'} you${critical ? ', something critical' : ''}`} role="note">{needsYou}</span>}
          </Link>
        )
      })}
    </nav>
  )
}
