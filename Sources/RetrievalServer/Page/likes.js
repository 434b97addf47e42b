// The images of a search: one or several that results are like, and those that they are unlike.

/** As many images as the service takes in one search. */
export const mostQueryImages = 8;

const named = ({ id, name }) => ({ id, name });
const apart = (images, ids) => images.filter(({ id }) => !ids.has(id));

/** How many images a query has. */
export const countImages = ({ image, likes, unlike }) => (image ? 1 : 0) + likes.length + unlike.length;

/** The part of a query that makes its results be like these images as well. */
export function liking({ image, likes, unlike }, items) {
  const ids = new Set(items.map(({ id }) => id));
  const known = new Set([image?.id, ...likes.map(({ id }) => id)]);
  const added = items.filter(({ id }) => !known.has(id)).map(named);
  const all = [...(image ? [image] : []), ...likes, ...added];
  return { image: all[0] ?? null, likes: all.slice(1), unlike: apart(unlike, ids) };
}

/** The part of a query that makes its results be unlike these images. */
export function disliking({ image, likes, unlike }, items) {
  const ids = new Set(items.map(({ id }) => id));
  const all = apart([...(image ? [image] : []), ...likes], ids);
  const known = new Set(unlike.map(({ id }) => id));
  const added = items.filter(({ id }) => !known.has(id)).map(named);
  return { image: all[0] ?? null, likes: all.slice(1), unlike: [...unlike, ...added] };
}

/** The part of a query without one of its images. */
export function forgetting({ image, likes, unlike }, gone) {
  const all = [...(image ? [image] : []), ...likes].filter((other) => other !== gone);
  return { image: all[0] ?? null, likes: all.slice(1), unlike: unlike.filter((other) => other !== gone) };
}

/** The fields of a request that name the images; a file is sent beside them. */
export function imageFields({ image, likes, unlike }) {
  const fields = {};
  const ids = [image, ...likes].map((each) => each?.id).filter(Boolean);
  if (ids.length === 1 && image?.id) fields.image = ids[0];
  else if (ids.length) fields.images = ids;
  if (unlike.length) fields.unlike = unlike.map(({ id }) => id);
  return fields;
}
