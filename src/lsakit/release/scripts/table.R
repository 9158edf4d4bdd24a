# Tính lại bảng đã công bố từ tệp dữ liệu / Recompute the published table from the data file.
#   Rscript table.R                      gói haven và survey / packages haven and survey
#   Rscript table.R --base               haven và R gốc / haven and base R alone
# Kết thúc bằng 1 nếu có số không khớp / Ends with 1 if a figure disagrees.
here <- function() {
  given <- grep("^--file=", commandArgs(FALSE), value = TRUE)
  if (length(given)) dirname(sub("^--file=", "", given[1])) else "."
}
folder <- here()
settings <- read.csv(file.path(folder, "table_settings.csv"), stringsAsFactors = FALSE)
set <- setNames(settings$value, settings$name)
n_replicates <- as.integer(set[["n_replicates"]])
fay <- as.numeric(set[["fay_factor"]])
tolerance <- as.numeric(set[["tolerance"]])
data <- as.data.frame(haven::read_sav(file.path(folder, set[["student_file"]])))
expected <- read.csv(file.path(folder, "expected.csv"), stringsAsFactors = FALSE,
                     colClasses = c(group = "character", by = "character"), na.strings = "")
expected$by[is.na(expected$by)] <- ""
expected$group[is.na(expected$group)] <- ""
data[] <- lapply(data, function(column) { attributes(column) <- NULL; column })
weights <- as.matrix(data[paste0("W_FSTURWT", seq_len(n_replicates))])
with_survey <- requireNamespace("survey", quietly = TRUE) && !("--base" %in% commandArgs(TRUE))
cat(if (with_survey) "survey::svrepdesign, Fay\n" else "base R\n")
pv_names <- function(pattern) {
  found <- character(); m <- 1
  while ((name <- sub("{m}", m, pattern, fixed = TRUE)) %in% names(data)) { found <- c(found, name); m <- m + 1 }
  found
}
mean_of <- function(rows, name) {                        # estimate and sampling variance of one plausible value
  if (with_survey) {
    design <- survey::svrepdesign(weights = data$W_FSTUWT[rows], repweights = weights[rows, , drop = FALSE],
                                  data = data[rows, name, drop = FALSE], type = "Fay", rho = fay,
                                  combined.weights = TRUE, mse = TRUE)
    found <- survey::svymean(reformulate(name), design)
    return(c(as.numeric(found), as.numeric(attr(found, "var"))))
  }
  x <- data[rows, name]; w <- data$W_FSTUWT[rows]; r <- weights[rows, , drop = FALSE]
  whole <- sum(w * x) / sum(w)
  again <- colSums(r * x) / colSums(r)
  c(whole, sum((again - whole)^2) / (n_replicates * (1 - fay)^2))
}
worst <- 0; bad <- 0
for (i in seq_len(nrow(expected))) {
  row <- expected[i, ]
  rows <- if (row$by == "") rep(TRUE, nrow(data)) else
    !is.na(data[[row$by]]) & as.character(data[[row$by]]) == row$group
  parts <- sapply(pv_names(row$values), function(name) mean_of(which(rows), name))
  m <- ncol(parts)
  estimate <- mean(parts[1, ])
  error <- sqrt(mean(parts[2, ]) + (1 + 1 / m) * var(parts[1, ]))
  off <- max(abs(estimate - row$estimate), abs(error - row$standard_error), abs(sum(rows) - row$n))
  worst <- max(worst, off)
  if (!is.finite(off) || off > tolerance) {
    bad <- bad + 1
    cat(sprintf("KHÔNG KHỚP / DISAGREES: %s %s %s: %.10f (%.10f), expected %.10f (%.10f)\n", row$values, row$by,
                row$group, estimate, error, row$estimate, row$standard_error))
  } else {
    cat(sprintf("%-10s %-10s %-3s n=%6d  %8.3f  (%.3f)\n", row$values, row$by, row$group, sum(rows), estimate, error))
  }
}
cat(sprintf("%d dòng / rows, %d không khớp / disagree, lệch lớn nhất / largest difference %.2e\n", nrow(expected), bad, worst))
quit(status = if (bad > 0 || nrow(expected) == 0) 1 else 0)
