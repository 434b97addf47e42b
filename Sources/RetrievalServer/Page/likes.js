// The images of a search: those that results should resemble, and those that they should not.

/** The most images that the service accepts in one search. */
export const mostQueryImages = 8;

const named = ({ id, name }) => ({ id, name });
const apart = (images, ids) => images.filter(({ id }) => !ids.has(id));

/** The number of images in a query. */
export const countImages = ({ image, likes, unlike }) => (image ? 1 : 0) + likes.length + unlike.length;

/** The change of a query that adds images which results should resemble. */
export function liking({ image, likes, unlike }, items) {
  const ids = new Set(items.map(({ id }) => id));
  const known = new Set([image?.id, ...likes.map(({ id }) => id)]);
  const added = items.filter(({ id }) => !known.has(id)).map(named);
  const all = [...(image ? [image] : []), ...likes, ...added];
  return { image: all[0] ?? null, likes: all.slice(1), unlike: apart(unlike, ids) };
}

/** The change of a query that adds images which results should not resemble. */
export function disliking({ image, likes, unlike }, items) {
  const ids = new Set(items.map(({ id }) => id));
  const all = apart([...(image ? [image] : []), ...likes], ids);
  const known = new Set(unlike.map(({ id }) => id));
  const added = items.filter(({ id }) => !known.has(id)).map(named);
  return { image: all[0] ?? null, likes: all.slice(1), unlike: [...unlike, ...added] };
}

/** The change of a query that removes one of its images. */
export function forgetting({ image, likes, unlike }, gone) {
  const all = [...(image ? [image] : []), ...likes].filter((other) => other !== gone);
  return { image: all[0] ?? null, likes: all.slice(1), unlike: unlike.filter((other) => other !== gone) };
}

/** The fields of a request that name the images; the form carries a file separately. */
export function imageFields({ image, likes, unlike }) {
  const fields = {};
  const ids = [image, ...likes].map((each) => each?.id).filter(Boolean);
  if (ids.length === 1 && image?.id) fields.image = ids[0];
  else if (ids.length) fields.images = ids;
  if (unlike.length) fields.unlike = unlike.map(({ id }) => id);
  return fields;
}
