import { QueryClient } from '@tanstack/react-query'
import { ApiProblem } from './api-problem.ts'

/** What was read is shown at once and read again when the server says that something moved; see `live.ts`. */
export function createQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        refetchInterval: 30_000,
        retry: (failures, error) => failures < 2 && isPassing(error),
      },
      mutations: { retry: false },
    },
  })
}

/** Asking again helps against a server that restarts, never against an answer. */
function isPassing(error: unknown): boolean {
  return !(error instanceof ApiProblem) || error.status === 503
}
