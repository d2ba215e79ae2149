import { outerPort, type MeshEntry } from './mesh-entry.ts'

/** Each page as a service of the tailnet, with a name of its own; the first label of its name is that of the service. */
export function tailscaleServe(entry: MeshEntry): string[] {
  return entry.pages.map(({ origin, port }) => `tailscale serve --service=svc:${new URL(origin).hostname.split('.')[0]} --https=${outerPort(origin)} http://127.0.0.1:${port}`)
}
