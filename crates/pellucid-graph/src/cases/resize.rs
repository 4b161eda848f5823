//! Cases of resizing.

use super::OpCase;

pub(super) const CASES: &[OpCase] = &[
    OpCase::new(
        "Resize twice",
        "g (float[N,2,3,4] a) => (float[N,2,6,8] y)
         <float[4] s = {1, 1, 2, 2}>
         { y = Resize(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize twice from the corner",
        "g (float[N,2,3,4] a) => (float[N,2,6,8] y)
         <float[4] s = {1, 1, 2, 2}>
         { y = Resize<coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"floor\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize to sizes",
        "g (float[1,2,3,4] a) => (float[1,2,5,9] y)
         <int64[4] s = {1, 2, 5, 9}>
         { y = Resize(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize to half",
        "g (float[N,1,4,6] a) => (float[N,1,2,3] y)
         <float[4] s = {1, 1, 0.5, 0.5}>
         { y = Resize(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest half_pixel round_prefer_floor",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"half_pixel\", nearest_mode = \"round_prefer_floor\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest half_pixel round_prefer_ceil",
        "g (float[N,1,4,5] a) => (float[N,1,2,8] y)
         <float[4] s = {1, 1, 0.5, 1.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"half_pixel\", nearest_mode = \"round_prefer_ceil\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest half_pixel floor",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"half_pixel\", nearest_mode = \"floor\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest half_pixel ceil",
        "g (float[N,1,4,5] a) => (float[N,1,2,8] y)
         <float[4] s = {1, 1, 0.5, 1.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"half_pixel\", nearest_mode = \"ceil\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest asymmetric round_prefer_floor",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"round_prefer_floor\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest asymmetric round_prefer_ceil",
        "g (float[N,1,4,5] a) => (float[N,1,2,8] y)
         <float[4] s = {1, 1, 0.5, 1.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"round_prefer_ceil\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest asymmetric floor",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"floor\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest asymmetric ceil",
        "g (float[N,1,4,5] a) => (float[N,1,2,8] y)
         <float[4] s = {1, 1, 0.5, 1.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"ceil\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest align_corners round_prefer_floor",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"align_corners\", nearest_mode = \"round_prefer_floor\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest align_corners round_prefer_ceil",
        "g (float[N,1,4,5] a) => (float[N,1,2,8] y)
         <float[4] s = {1, 1, 0.5, 1.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"align_corners\", nearest_mode = \"round_prefer_ceil\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest align_corners floor",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"align_corners\", nearest_mode = \"floor\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest align_corners ceil",
        "g (float[N,1,4,5] a) => (float[N,1,2,8] y)
         <float[4] s = {1, 1, 0.5, 1.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"align_corners\", nearest_mode = \"ceil\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest pytorch_half_pixel round_prefer_floor",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"pytorch_half_pixel\", nearest_mode = \"round_prefer_floor\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest pytorch_half_pixel round_prefer_ceil",
        "g (float[N,1,4,5] a) => (float[N,1,2,8] y)
         <float[4] s = {1, 1, 0.5, 1.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"pytorch_half_pixel\", nearest_mode = \"round_prefer_ceil\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest pytorch_half_pixel floor",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"pytorch_half_pixel\", nearest_mode = \"floor\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize nearest pytorch_half_pixel ceil",
        "g (float[N,1,4,5] a) => (float[N,1,2,8] y)
         <float[4] s = {1, 1, 0.5, 1.6}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"pytorch_half_pixel\", nearest_mode = \"ceil\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize linear half_pixel",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"linear\", coordinate_transformation_mode = \"half_pixel\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize linear half_pixel to sizes",
        "g (float[1,1,4,3] a) => (float[1,1,1,6] y)
         <int64[4] s = {1, 1, 1, 6}>
         { y = Resize<mode = \"linear\", coordinate_transformation_mode = \"half_pixel\">(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize linear asymmetric",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"linear\", coordinate_transformation_mode = \"asymmetric\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize linear asymmetric to sizes",
        "g (float[1,1,4,3] a) => (float[1,1,1,6] y)
         <int64[4] s = {1, 1, 1, 6}>
         { y = Resize<mode = \"linear\", coordinate_transformation_mode = \"asymmetric\">(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize linear align_corners",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"linear\", coordinate_transformation_mode = \"align_corners\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize linear align_corners to sizes",
        "g (float[1,1,4,3] a) => (float[1,1,1,6] y)
         <int64[4] s = {1, 1, 1, 6}>
         { y = Resize<mode = \"linear\", coordinate_transformation_mode = \"align_corners\">(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize linear pytorch_half_pixel",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"linear\", coordinate_transformation_mode = \"pytorch_half_pixel\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize linear pytorch_half_pixel to sizes",
        "g (float[1,1,4,3] a) => (float[1,1,1,6] y)
         <int64[4] s = {1, 1, 1, 6}>
         { y = Resize<mode = \"linear\", coordinate_transformation_mode = \"pytorch_half_pixel\">(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize cubic half_pixel",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"cubic\", coordinate_transformation_mode = \"half_pixel\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize cubic half_pixel to sizes",
        "g (float[1,1,4,3] a) => (float[1,1,1,6] y)
         <int64[4] s = {1, 1, 1, 6}>
         { y = Resize<mode = \"cubic\", coordinate_transformation_mode = \"half_pixel\">(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize cubic asymmetric",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"cubic\", coordinate_transformation_mode = \"asymmetric\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize cubic asymmetric to sizes",
        "g (float[1,1,4,3] a) => (float[1,1,1,6] y)
         <int64[4] s = {1, 1, 1, 6}>
         { y = Resize<mode = \"cubic\", coordinate_transformation_mode = \"asymmetric\">(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize cubic align_corners",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"cubic\", coordinate_transformation_mode = \"align_corners\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize cubic align_corners to sizes",
        "g (float[1,1,4,3] a) => (float[1,1,1,6] y)
         <int64[4] s = {1, 1, 1, 6}>
         { y = Resize<mode = \"cubic\", coordinate_transformation_mode = \"align_corners\">(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize cubic pytorch_half_pixel",
        "g (float[N,1,4,5] a) => (float[N,1,7,3] y)
         <float[4] s = {1, 1, 1.75, 0.6}>
         { y = Resize<mode = \"cubic\", coordinate_transformation_mode = \"pytorch_half_pixel\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize cubic pytorch_half_pixel to sizes",
        "g (float[1,1,4,3] a) => (float[1,1,1,6] y)
         <int64[4] s = {1, 1, 1, 6}>
         { y = Resize<mode = \"cubic\", coordinate_transformation_mode = \"pytorch_half_pixel\">(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize linear of volumes",
        "g (float[N,1,2,3,2] a) => (float[N,1,4,5,3] y)
         <float[5] s = {1, 1, 2, 1.7, 1.5}>
         { y = Resize<mode = \"linear\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize linear of channels last",
        "g (float[N,3,4,2] a) => (float[N,6,6,2] y)
         <float[4] s = {1, 2, 1.5, 1}>
         { y = Resize<mode = \"linear\">(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize cubic coefficient",
        "g (float[N,1,4,5] a) => (float[N,1,8,10] y)
         <float[4] s = {1, 1, 2, 2}>
         { y = Resize<mode = \"cubic\", cubic_coeff_a = -0.5>(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize cubic without outside",
        "g (float[N,1,4,5] a) => (float[N,1,8,4] y)
         <float[4] s = {1, 1, 2, 0.8}>
         { y = Resize<mode = \"cubic\", exclude_outside = 1>(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize some axes",
        "g (float[N,4,5] a) => (float[N,6,9] y)
         <int64[2] s = {6, 9}>
         { y = Resize<mode = \"linear\", axes = [1, 2]>(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize antialiased",
        "g (float[N,1,8,9] a) => (float[N,1,4,3] y)
         <float[4] s = {1, 1, 0.5, 0.34}>
         { y = Resize<mode = \"linear\", antialias = 1>(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize antialiased cubic",
        "g (float[N,1,9,6] a) => (float[N,1,4,9] y)
         <float[4] s = {1, 1, 0.45, 1.5}>
         { y = Resize<mode = \"cubic\", antialias = 1>(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize antialiased without outside",
        "g (float[N,1,9,6] a) => (float[N,1,4,3] y)
         <float[4] s = {1, 1, 0.45, 0.5}>
         { y = Resize<mode = \"cubic\", antialias = 1, exclude_outside = 1>(a, \"\", s) }",
    ),
    OpCase::new(
        "Resize not larger",
        "g (float[1,1,4,6] a) => (float[1,1,6,9] y)
         <int64[2] s = {8, 9}>
         { y = Resize<mode = \"linear\", keep_aspect_ratio_policy = \"not_larger\", axes = [2, 3]>(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize not smaller",
        "g (float[1,1,4,6] a) => (float[1,1,8,12] y)
         <int64[2] s = {8, 9}>
         { y = Resize<keep_aspect_ratio_policy = \"not_smaller\", axes = [2, 3]>(a, \"\", \"\", s) }",
    ),
    OpCase::new(
        "Resize of a crop",
        "g (float[1,1,4,5] a) => (float[1,1,3,4] y)
         <float[8] r = {0, 0, 0.2, 0.3, 1, 1, 0.7, 1.2}, int64[4] s = {1, 1, 3, 4}>
         { y = Resize<mode = \"linear\", coordinate_transformation_mode = \"tf_crop_and_resize\", extrapolation_value = 2.5>(a, r, \"\", s) }",
    ),
    OpCase::new(
        "Resize of a crop to the nearest",
        "g (float[1,1,4,5] a) => (float[1,1,3,3] y)
         <float[8] r = {0, 0, 0.2, 0.1, 1, 1, 0.7, 0.8}, int64[4] s = {1, 1, 3, 3}>
         { y = Resize<mode = \"nearest\", coordinate_transformation_mode = \"tf_crop_and_resize\">(a, r, \"\", s) }",
    ),
    OpCase::new(
        "Resize to a computed size",
        "g (float[N,2,3,4] a) => (float[N,2,6,8] y)
         <int64[1] zero = {0}, int64[1] two = {2}, int64[2] spatial = {6, 8}>
         { s = Shape(a) n = Slice(s, zero, two) t = Concat<axis = 0>(n, spatial)
           y = Resize<mode = \"linear\">(a, \"\", \"\", t) }",
    ),
    OpCase::new(
        "GridSample",
        "g (float[N,2,3,4] x, float[N,2,3,2] p) => (float[N,2,2,3] y) { y = GridSample(x, p) }",
    )
    .range(-1.3, 1.3),
    OpCase::new(
        "GridSample with aligned corners",
        "g (float[N,2,3,4] x, float[N,2,3,2] p) => (float[N,2,2,3] y)
         { y = GridSample<mode = \"linear\", align_corners = 1>(x, p) }",
    )
    .range(-1.3, 1.3),
    OpCase::new(
        "GridSample that repeats the border",
        "g (float[N,2,3,4] x, float[N,2,3,2] p) => (float[N,2,2,3] y)
         { y = GridSample<mode = \"linear\", padding_mode = \"border\">(x, p) }",
    )
    .range(-1.3, 1.3),
    OpCase::new(
        "GridSample of nearest pixels",
        "g (float[N,2,3,4] x, float[N,2,3,2] p) => (float[N,2,2,3] y) { y = GridSample<mode = \"nearest\">(x, p) }",
    )
    .range(-1.3, 1.3),
    OpCase::new(
        "GridSample of nearest pixels with aligned corners that repeats the border",
        "g (float[N,2,3,4] x, float[N,2,3,2] p) => (float[N,2,2,3] y)
         { y = GridSample<mode = \"nearest\", padding_mode = \"border\", align_corners = 1>(x, p) }",
    )
    .range(-1.3, 1.3),
];
