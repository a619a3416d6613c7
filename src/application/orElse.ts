/**
 * What a promise gives, or something else when it takes too long. The work behind it goes on.
 *
 * @param ms how long it may take, in milliseconds
 */
export function orElse<T, E>(work: Promise<T>, ms: number, otherwise: E): Promise<T | E> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<E>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
