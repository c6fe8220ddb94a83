/** The matcher of Aedes' own persistence; the package declares types for its main module alone. */
declare module 'qlobber/aedes/qlobber-sub.js' {
  const QlobberSub: new (options: {
    readonly wildcard_one: string;
    readonly wildcard_some: string;
    readonly separator: string;
  }) => unknown;
  export default QlobberSub;
}
