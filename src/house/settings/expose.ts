import { z } from 'zod'
import { nameSchema, pathSchema } from './values.ts'

const address = z.union([z.ipv4(), z.ipv6()])

/** How the two pages are reached from other machines of the mesh. Nothing here makes anybody listen: `castellan expose --print` shows what does. */
export const exposeSchema = z
  .strictObject({
    server: z.string().max(300).describe('The address of the dashboard on your other devices, e.g. https://house.example.ts.net. The page on which you sign has a name of its own: `outbox.sign_origin`.'),
    proxy: z.enum(['caddy', 'tailscale']).prefault('caddy').describe('What stands in front of both: Caddy, or Tailscale Serve.'),
    addresses: z.array(address).max(8).prefault([]).describe('The addresses of this machine on the mesh. A proxy listens on them alone.'),
    interface: z.string().regex(/^[A-Za-z0-9_.-]{1,15}$/, 'the name of an interface has at most 15 letters, digits, _ . and -').optional().describe('The interface of the mesh, e.g. tailscale0 or wg0. Firewall rules let in what comes over it.'),
    certificate: z
      .strictObject({ file: pathSchema.describe('The certificate and what stands above it, as PEM; an absolute path.'), key: pathSchema.describe('Its private key; an absolute path. Caddy reads it, Castellan does not.') })
      .optional()
      .describe('For Caddy, and for both names. Left out: it asks Tailscale for names under ts.net, and makes its own for others, which your devices must be told to trust.'),
    token: z
      .enum(['proxy', 'device', 'none'])
      .prefault('proxy')
      .describe('Who shows the service token, without which the pages answer nobody under these names: the `proxy`, for everybody whom it lets through; the `device`, in a header of its own; or `none`.'),
    tokens: z
      .record(nameSchema, z.string().regex(/^sha256:[0-9a-f]{64}$/, 'this is not the digest of a token; `castellan expose token NAME` prints it'))
      .prefault({})
      .describe('The digests of the tokens that count, by a name. `castellan expose token NAME` makes one and prints the line; remove it to take the token back.'),
  })
  .optional()
  .describe('The names by which your other devices reach the dashboard and the signing page, over the mesh only. Left out: nobody reaches them but from this machine.')
