import { z } from 'zod'

/** On 127.0.0.1 only. Each can also be set by an environment variable, e.g. CASTELLAN_PORT_SERVER. */
const port = z.int().min(0).max(65535)

export const portsSchema = z
  .strictObject({
    server: port.prefault(7400).describe('The dashboard. Environment: CASTELLAN_PORT_SERVER.'),
    releaser: port.prefault(7401).describe('The page on which drafts are signed, an origin of its own. Environment: CASTELLAN_PORT_RELEASER.'),
    gate_local: port.prefault(7402).describe('The gate for models on this machine. Environment: CASTELLAN_PORT_GATE_LOCAL.'),
    gate_cloud: port.prefault(7403).describe('The gate for cloud models. Environment: CASTELLAN_PORT_GATE_CLOUD.'),
    webhooks: port
      .optional()
      .describe('Where webhooks are delivered: this port alone may be reached from elsewhere, through a reverse proxy. Left out: 7404 when one is declared, else none. Environment: CASTELLAN_PORT_WEBHOOKS.'),
  })
  .prefault({})
  .describe('Ports on 127.0.0.1; nothing listens elsewhere. 0 takes any free port.')

export const portNames = ['server', 'releaser', 'gate_local', 'gate_cloud', 'webhooks'] as const
export type PortName = (typeof portNames)[number]

/** The variable that overrides a port of the file. */
export function portVariable(name: PortName): string {
  return `CASTELLAN_PORT_${name.toUpperCase()}`
}
