import { Fragment } from 'react'
import { piecesOf } from '../draft/visible-characters.ts'

/** Text as it is: what would not be seen stands there as its code point. */
export function Exact({ text }: { readonly text: string }) {
  return piecesOf(text).map((piece, index) =>
    'code' in piece
      ? <span key={index} className="char" title={piece.name}>{piece.code}</span>
      : <Fragment key={index}>{piece.text}</Fragment>)
}
