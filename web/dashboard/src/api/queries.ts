import { queryOptions } from '@tanstack/react-query'
import { dataOf, server } from './client.ts'
import type { operations } from './schema.d.ts'

type RunFilter = NonNullable<operations['listRuns']['parameters']['query']>
type DraftFilter = NonNullable<operations['listDrafts']['parameters']['query']>

/** Everything that pages read; the key's first word is what `live.ts` calls stale. */
export const todayQuery = queryOptions({ queryKey: ['today'], queryFn: () => dataOf(server.GET('/api/today')) })
export const houseQuery = queryOptions({ queryKey: ['house'], queryFn: () => dataOf(server.GET('/api/house')) })
export const jobsQuery = queryOptions({ queryKey: ['jobs'], queryFn: () => dataOf(server.GET('/api/jobs')) })
export const doctorQuery = queryOptions({ queryKey: ['doctor'], queryFn: () => dataOf(server.GET('/api/doctor')), refetchInterval: false, staleTime: 60_000 })

export const jobQuery = (name: string) =>
  queryOptions({ queryKey: ['jobs', name], queryFn: () => dataOf(server.GET('/api/jobs/{name}', { params: { path: { name } } })) })

export const historyQuery = (name: string) =>
  queryOptions({ queryKey: ['jobs', name, 'history'], queryFn: () => dataOf(server.GET('/api/jobs/{name}/history', { params: { path: { name }, query: { limit: 50 } } })) })

export const runsQuery = (filter: RunFilter) =>
  queryOptions({ queryKey: ['runs', filter], queryFn: () => dataOf(server.GET('/api/runs', { params: { query: { ...filter, limit: 100 } } })) })

export const runQuery = (id: string) =>
  queryOptions({ queryKey: ['run', id], queryFn: () => dataOf(server.GET('/api/runs/{id}', { params: { path: { id } } })) })

export const logQuery = (id: string) =>
  queryOptions({ queryKey: ['run', id, 'log'], queryFn: () => dataOf(server.GET('/api/runs/{id}/logs', { params: { path: { id } } })) })

export const draftsQuery = (filter: DraftFilter) =>
  queryOptions({ queryKey: ['drafts', filter], queryFn: () => dataOf(server.GET('/api/drafts', { params: { query: { ...filter, limit: 100 } } })) })

export const draftQuery = (id: string) =>
  queryOptions({ queryKey: ['drafts', id], queryFn: () => dataOf(server.GET('/api/drafts/{id}', { params: { path: { id } } })) })
