import { z } from 'zod'
import { lanesSchema, levelSchema, nameSchema, pathSchema, secretSchema } from './values.ts'

const belonging = {
  lanes: lanesSchema.prefault(['private']).describe('The lanes that its messages belong to.'),
  label: levelSchema.prefault('P2').describe('The level of a message; rules of labels.yaml and detectors raise it. Mail is always untrusted.'),
}

const folderAccount = z.strictObject({
  kind: z.literal('folder').prefault('folder').describe('`folder`: a folder of .eml files.'),
  path: pathSchema.describe('Relative to the house, or absolute.'),
  ...belonging,
})

const line = (what: string, longest: number) => z.string().regex(new RegExp(`^[^\\p{Cc}]{1,${longest}}$`, 'u'), `${what} is one line`)

/** The folders of one account at most: each is watched by a connection of its own, and servers allow few. */
const mostFolders = 8

const imapAccount = z.strictObject({
  kind: z.literal('imap').describe('`imap`: a mailbox on a server, mirrored as it is. Nothing in it is changed.'),
  host: z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, 'a host is a name or an address').describe('With `kind: imap`: the server, e.g. imap.example.org.'),
  port: z.int().min(1).max(65_535).optional().describe('With `kind: imap`. Default: 993 for `tls`, else 143.'),
  security: z
    .enum(['tls', 'starttls', 'none'])
    .prefault('tls')
    .describe('With `kind: imap`: `tls` from the first byte, `starttls` before the password is sent, or `none` for a server on this machine.'),
  user: line('a user name', 320).describe('With `kind: imap`: the name to log in with.'),
  password: secretSchema.describe('With `kind: imap`: the password, as the name of a secret. Most providers want one that is made for an app.'),
  folders: z.array(line('the name of a folder', 300).describe('A folder, as the server writes it, e.g. INBOX.')).min(1).max(mostFolders).prefault(['INBOX']).describe('With `kind: imap`: the folders to mirror, as the server writes them.'),
  ca: pathSchema
    .optional()
    .describe('With `kind: imap`: a file with the certificate that the server shows, or with that of its authority, as PEM. For certificates that no public authority signed.'),
  ...belonging,
})

export const mailSchema = z
  .strictObject({ accounts: z.record(nameSchema, z.discriminatedUnion('kind', [folderAccount, imapAccount])).prefault({}).describe('Mailboxes, by name.') })
  .prefault({})
  .describe('Mail that comes in.')
