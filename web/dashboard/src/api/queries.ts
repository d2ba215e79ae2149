import { queryOptions } from '@tanstack/react-query'
import { ask } from './client.ts'
import type { Check, FireView, JobDetail, JobSummary, LogLine, OccurrenceView, RunDetail, RunSummary, StatusView, TodayView } from './views.ts'

/** Everything that pages read; the key's first word is what `live.ts` calls stale. */
export const todayQuery = queryOptions({ queryKey: ['today'], queryFn: () => ask<TodayView>('GET', '/api/today') })
export const jobsQuery = queryOptions({ queryKey: ['jobs'], queryFn: () => ask<JobSummary[]>('GET', '/api/jobs') })
export const statusQuery = queryOptions({ queryKey: ['house', 'status'], queryFn: () => ask<StatusView>('GET', '/api/status') })
export const doctorQuery = queryOptions({ queryKey: ['doctor'], queryFn: () => ask<Check[]>('GET', '/api/doctor'), refetchInterval: false, staleTime: 60_000 })

export const jobQuery = (name: string) => queryOptions({ queryKey: ['jobs', name], queryFn: () => ask<JobDetail>('GET', `/api/jobs/${encodeURIComponent(name)}`) })
export const firesQuery = (name: string) => queryOptions({ queryKey: ['jobs', name, 'next'], queryFn: () => ask<FireView[]>('GET', `/api/jobs/${encodeURIComponent(name)}/next?limit=5`) })
export const historyQuery = (name: string) => queryOptions({ queryKey: ['jobs', name, 'history'], queryFn: () => ask<OccurrenceView[]>('GET', `/api/jobs/${encodeURIComponent(name)}/history?limit=50`) })

export const runsQuery = (filter: { job?: string; state?: string }) =>
  queryOptions({ queryKey: ['runs', filter], queryFn: () => ask<RunSummary[]>('GET', `/api/runs?${new URLSearchParams({ ...filter, limit: '100' })}`) })
export const runQuery = (id: string) => queryOptions({ queryKey: ['run', id], queryFn: () => ask<RunDetail>('GET', `/api/runs/${id}`) })
export const logQuery = (id: string) => queryOptions({ queryKey: ['run', id, 'log'], queryFn: () => ask<LogLine[]>('GET', `/api/runs/${id}/logs`) })
