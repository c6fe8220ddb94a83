/** What `guides.mjs` makes of the pages of the codecs when the page is built. */
declare module 'virtual:guides' {
  export type GuideSpan = { readonly text: string } | { readonly code: string };
  export type GuideBlock =
    | { readonly kind: 'text'; readonly spans: readonly GuideSpan[] }
    | { readonly kind: 'steps'; readonly items: readonly (readonly GuideSpan[])[] }
    | {
        readonly kind: 'table';
        readonly head: readonly (readonly GuideSpan[])[];
        readonly body: readonly (readonly (readonly GuideSpan[])[])[];
      }
    | { readonly kind: 'code'; readonly text: string };
  export interface Guide {
    /** Of the codec. */
    readonly name: string;
    readonly title: string;
    /** The example that signs in. */
    readonly client: string;
    /** Examples that it speaks for. */
    readonly behind: readonly string[];
    readonly id: readonly GuideBlock[];
    readonly en: readonly GuideBlock[];
  }
  export const guides: readonly Guide[];
}
