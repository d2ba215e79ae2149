/** Where one secret comes from. Paths are absolute; a value is nowhere in the house. */
export type SecretSource = SecretRotation & (
  | { readonly from: 'made' }
  | { readonly from: 'file'; readonly file: string }
  | { readonly from: 'systemd'; readonly credential: string }
  | { readonly from: 'op'; readonly reference: string; readonly account?: string }
  | { readonly from: 'sops'; readonly file: string; readonly key: SecretKey; readonly ageKeyFile?: string }
  | { readonly from: 'age'; readonly file: string; readonly identity: string; readonly recipients?: string }
  | { readonly from: 'keychain'; readonly service: string; readonly account?: string }
  | { readonly from: 'ansible-vault'; readonly file: string; readonly key?: SecretKey; readonly passwordFile?: string }
)

/** The way to a value in a document. */
export type SecretKey = readonly (string | number)[]

export type SecretForm = 'base64url' | 'hex' | 'whsec'

interface SecretRotation {
  readonly name: string
  /** Null: nobody is reminded. */
  readonly everyMs: number | null
  readonly by: 'typed' | 'made' | { readonly command: readonly string[] }
  readonly form: SecretForm
}
