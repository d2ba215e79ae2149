import { dataOf, server } from './client.ts'

/** What the operator may ask for here. Nothing in this app decides on a draft: that is the signing app's, on its own origin. */
export const runJob = (name: string) => dataOf(server.POST('/api/jobs/{name}/run', { params: { path: { name } }, body: {} }))
export const pauseJob = (name: string) => dataOf(server.POST('/api/jobs/{name}/pause', { params: { path: { name } } }))
export const resumeJob = (name: string) => dataOf(server.POST('/api/jobs/{name}/resume', { params: { path: { name } } }))
export const cancelRun = (id: string) => dataOf(server.POST('/api/runs/{id}/cancel', { params: { path: { id } } }))
export const acknowledgeAlert = (id: string) => dataOf(server.POST('/api/alerts/{id}/ack', { params: { path: { id } } }))
export const reloadHouse = () => dataOf(server.POST('/api/reload'))

/** Takes a closed run up again, from a step on or where it stopped. */
export const retryRun = (id: string, from: string | undefined) =>
  dataOf(server.POST('/api/runs/{id}/retry', { params: { path: { id } }, body: from === undefined ? {} : { from } }))

/** The run with what is P3 local only; that it was asked for is written down. */
export const revealRun = (id: string) => dataOf(server.GET('/api/runs/{id}', { params: { path: { id }, query: { reveal: '1' } } }))
export const revealLog = (id: string) => dataOf(server.GET('/api/runs/{id}/logs', { params: { path: { id }, query: { reveal: '1' } } }))
