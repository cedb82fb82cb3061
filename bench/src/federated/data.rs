//! The data of the federation benchmark: six people, 24 reviews that they wrote of the first nine products, and as many further
//! products as are asked for, with one review each. All of it is computed from its number, so that 100,000 products take no memory.

/// The people.
pub(crate) const USERS: u32 = 6;
/// The products that people's reviews are about.
const KNOWN: u32 = 9;
/// Those reviews.
const REVIEWS: u32 = 24;
/// Reviews of further products are numbered after those.
const FURTHER: u32 = 1000;

pub(crate) fn name(user: u32) -> String {
    const NAMES: [&str; 6] = [
        "Ada Lovelace",
        "Alan Turing",
        "Barbara Liskov",
        "Donald Knuth",
        "Edsger Dijkstra",
        "Grace Hopper",
    ];
    NAMES[(user as usize - 1) % NAMES.len()].to_owned()
}

pub(crate) fn username(user: u32) -> String {
    name(user).to_lowercase().replace(' ', ".")
}

pub(crate) fn product_name(product: u32) -> String {
    const NAMES: [&str; 9] =
        ["Table", "Couch", "Chair", "Lamp", "Shelf", "Desk", "Bed", "Rug", "Mirror"];
    format!("{} {product}", NAMES[(product as usize - 1) % NAMES.len()])
}

pub(crate) const fn price(product: u32) -> i32 {
    (product % 20 * 100 + 99) as i32
}

pub(crate) const fn weight(product: u32) -> i32 {
    (product % 50 * 10 + 50) as i32
}

pub(crate) const fn in_stock(product: u32) -> bool {
    !product.is_multiple_of(3)
}

/// What sending a product costs: nothing when it is dear, else half its weight.
pub(crate) const fn shipping_estimate(price: i32, weight: i32) -> i32 {
    if price > 1000 { 0 } else { weight / 2 }
}

pub(crate) fn body(review: u32) -> String {
    format!(
        "Review {review}: it does what it says, and looks better than in the picture. I would buy it again."
    )
}

/// Who wrote a review.
pub(crate) const fn author(review: u32) -> u32 {
    review % USERS + 1
}

/// What a review is about.
pub(crate) const fn product(review: u32) -> u32 {
    if review <= REVIEWS { review * 5 % KNOWN + 1 } else { review - FURTHER }
}

/// A person's reviews of the first products.
pub(crate) fn reviews_by(user: u32) -> impl Iterator<Item = u32> {
    (1..=REVIEWS).filter(move |review| author(*review) == user)
}

/// The reviews of a product.
pub(crate) fn reviews_of(about: u32) -> impl Iterator<Item = u32> {
    let further = (about > KNOWN).then_some(about + FURTHER);
    (1..=REVIEWS).filter(move |review| product(*review) == about).chain(further)
}
