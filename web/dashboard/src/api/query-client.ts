import { QueryCache, QueryClient } from '@tanstack/react-query'
import { ApiProblem } from './api-problem.ts'

/** What was read is shown at once and read again when the server says that something moved; see `live.ts`. */
export function createQueries(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      // the session ended, here or elsewhere: the pages give way to how to sign in
      onError: (error, query) => {
        if (error instanceof ApiProblem && error.status === 401 && query.queryKey[0] !== 'me') client.setQueryData(['me'], null)
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        refetchInterval: 30_000,
        retry: (failures, error) => failures < 2 && isPassing(error),
      },
      mutations: { retry: false },
    },
  })
  return client
}

/** Asking again helps against a server that restarts, never against an answer. */
function isPassing(error: unknown): boolean {
  return !(error instanceof ApiProblem) || error.status === 503
}
