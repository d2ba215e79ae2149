import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { Nowhere, PageFailed, PagePending } from '../parts/page-states.tsx'
import { TodayPage } from '../today/today-page.tsx'
import { Shell } from './shell.tsx'

const root = createRootRoute({ component: Shell, notFoundComponent: Nowhere })
const today = createRoute({ getParentRoute: () => root, path: '/', component: TodayPage })
const jobs = createRoute({ getParentRoute: () => root, path: '/jobs', component: lazyRouteComponent(() => import('../jobs/jobs-page.tsx'), 'JobsPage') })
const job = createRoute({ getParentRoute: () => root, path: '/jobs/$name', component: lazyRouteComponent(() => import('../jobs/job-page.tsx'), 'JobPage') })
const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: (search): { job?: string; state?: string } => ({ ...textOf(search, 'job'), ...textOf(search, 'state') }),
  component: lazyRouteComponent(() => import('../runs/runs-page.tsx'), 'RunsPage'),
})
const run = createRoute({ getParentRoute: () => root, path: '/runs/$id', component: lazyRouteComponent(() => import('../runs/run-page.tsx'), 'RunPage') })
const drafts = createRoute({
  getParentRoute: () => root,
  path: '/drafts',
  validateSearch: (search): { state?: string } => textOf(search, 'state'),
  component: lazyRouteComponent(() => import('../drafts/drafts-page.tsx'), 'DraftsPage'),
})
const house = createRoute({ getParentRoute: () => root, path: '/house', component: lazyRouteComponent(() => import('../house/house-page.tsx'), 'HousePage') })

const tree = root.addChildren([today, jobs, job, runs, run, drafts, house])

/** The pages by address; all but the first are loaded when somebody is about to go there. */
export function createPages() {
  return createRouter({
    routeTree: tree,
    defaultPreload: 'intent',
    defaultPendingComponent: PagePending,
    defaultErrorComponent: PageFailed,
    scrollRestoration: true,
  })
}

function textOf<K extends string>(search: Record<string, unknown>, key: K): { [name in K]?: string } {
  const value = search[key]
  return (typeof value === 'string' && value !== '' ? { [key]: value } : {}) as { [name in K]?: string }
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPages>
  }
}
