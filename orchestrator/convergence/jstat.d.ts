/** The part of jstat that is used; it comes without types. */
declare module 'jstat' {
  const jstat: {
    /** inv: the quantile of Student's t at probability `p` */
    studentt: { inv(p: number, degrees_of_freedom: number): number };
  };
  export default jstat;
}
